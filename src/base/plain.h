/* plain.h - numbers and names as text, the same whatever locale a script has set.
 *
 * os.setlocale and C modules change what printf, strtod and strcasecmp do in the whole process; a
 * script may want that for its own texts. These functions write and read what goes to Redis, to the
 * worker, or into a message of the program. */
#ifndef PLAIN_H
#define PLAIN_H

#include <locale.h>
#include <stddef.h>

#define PLAIN_NUMBER 32 /* bytes that plain_number_text needs at most, with its NUL */

/* The C locale, for functions such as uselocale and strcasecmp_l. Nothing is to be freed. */
locale_t plain_locale(void);

/* snprintf, sscanf and strtod of the C locale. */
int plain_format(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int plain_scan(const char *text, const char *format, ...) __attribute__((format(scanf, 2, 3)));
double plain_number(const char *text);

/* strerror of the C locale. */
const char *plain_error(int error);

/* The shortest text that reads back as the same double; "3" for 3.0. Returns `out`. */
char *plain_number_text(char out[PLAIN_NUMBER], double value);

#endif
