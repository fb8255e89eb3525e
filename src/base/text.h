/* text.h - makes bytes from outside safe to show: valid UTF-8, no control characters.
 *
 * Not a string library: nothing here allocates or knows about locales. */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

/* How many bytes (1 to 4) the valid UTF-8 character (RFC 3629) at `text` has; 0 when what stands
 * there is none, is cut off by `len`, or `len` is 0. */
size_t text_utf8_length(const char *text, size_t len);

/* Replaces, in place, every byte that is not part of valid UTF-8 (RFC 3629) by '?'. */
void text_clean_utf8(char *text, size_t len);

/* Copies `text` to `out` (at most size-1 bytes and a NUL, never cutting a character or an escape in
 * two) with bad UTF-8 as '?' and control characters escaped: \n, \t, \r, \xHH for C0 and DEL,
 * \u{HHHH} for C1, the line separators U+2028/2029 and the marks that make a terminal show a line
 * in another order (U+202A..202E, U+2066..2069). A backslash stays one backslash. Returns `out`;
 * `text` and `out` must not overlap. */
char *text_printable(char *out, size_t size, const char *text, size_t len);

/* The same for a text of many lines: \n and \t stay as they are. */
char *text_printable_lines(char *out, size_t size, const char *text, size_t len);

/* The longest text_printable can make of `len` bytes, with its NUL. */
#define TEXT_PRINTABLE_SIZE(len) (4 * (len) + 1)

#endif
