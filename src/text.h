/* text.h - makes bytes from outside safe to show: valid UTF-8, no control characters. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* Replaces, in place, every byte that is not part of valid UTF-8 (RFC 3629) by '?'. */
void text_clean_utf8(char *text, size_t len);

/* Copies `text` to `out` (at most size-1 bytes and a NUL, never cutting a character in two) with bad
 * UTF-8 as '?' and control characters (C0, DEL, C1, and U+2028/2029) escaped as \n, \t, \r, \xHH (or \u{HHHH}).
 * Returns `out`. */
char *text_printable(char *out, size_t size, const char *text, size_t len);

#endif
