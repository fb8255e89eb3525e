/* plain.c - see plain.h. */
#include "base/plain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The C library has this one ready and allocates nothing for it. */
locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", NULL);
}

int plain_format(char *out, size_t size, const char *format, ...)
{
    locale_t before = uselocale(plain_locale());
    va_list args;
    va_start(args, format);
    int len = vsnprintf(out, size, format, args);
    va_end(args);
    uselocale(before);
    return len;
}

int plain_scan(const char *text, const char *format, ...)
{
    locale_t before = uselocale(plain_locale());
    va_list args;
    va_start(args, format);
    int count = vsscanf(text, format, args);
    va_end(args);
    uselocale(before);
    return count;
}

double plain_number(const char *text)
{
    return strtod_l(text, NULL, plain_locale());
}

const char *plain_error(int error)
{
    return strerror_l(error, plain_locale());
}

char *plain_number_text(char out[PLAIN_NUMBER], double value)
{
    locale_t before = uselocale(plain_locale());
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, PLAIN_NUMBER, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    uselocale(before);
    return out;
}
