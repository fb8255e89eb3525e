/* text.c - makes bytes from outside safe to show. One UTF-8 decoder for the whole program; no
 * allocation. */
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The table of RFC 3629 §4 as conditions: only the second byte has ranges narrower than 80..BF.
 * They keep out overlong forms (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4). */
size_t text_utf8_length(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    if (len == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;

    size_t n = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    unsigned char low = s[0] == 0xE0 ? 0xA0 : s[0] == 0xF0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xED ? 0x9F : s[0] == 0xF4 ? 0x8F : 0xBF;
    if (n > len || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

void text_clean_utf8(char *text, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t n = text_utf8_length(text + i, len - i);
        if (n == 0)
            text[i] = '?';
        i += n ? n : 1;
    }
}

/* The code point of the valid character of `n` bytes at `text`. */
static uint32_t decode(const char *text, size_t n)
{
    static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (unsigned char)text[0] & first_bits[n];
    for (size_t i = 1; i < n; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3F);
    return code;
}

static int is_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x2028 && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069);
}

enum { PIECE_SIZE = sizeof "\\u{2028}" };

/* Writes how the character of `n` bytes at `text` (0: a bad byte) is shown; returns the length of
 * that. */
static size_t show(char piece[PIECE_SIZE], const char *text, size_t n)
{
    if (n == 0)
        return (size_t)snprintf(piece, PIECE_SIZE, "?");

    uint32_t c = decode(text, n);
    if (!is_unsafe(c)) {
        memcpy(piece, text, n);
        return n;
    }
    const char *letter = c ? strchr("\nn\tt\rr", (int)c) : NULL;
    if (letter && c < 0x20)
        return (size_t)snprintf(piece, PIECE_SIZE, "\\%c", letter[1]);
    return (size_t)snprintf(piece, PIECE_SIZE, c < 0x80 ? "\\x%02X" : "\\u{%04X}", c & 0xFFFF);
}

/* `plain`: control characters that stay as they are. */
static char *printable(char *out, size_t size, const char *text, size_t len, const char *plain)
{
    char piece[PIECE_SIZE];
    size_t used = 0;
    while (len > 0) {
        size_t n = text_utf8_length(text, len);
        bool stays = *text && strchr(plain, *text);
        size_t shown = stays ? n : show(piece, text, n);
        piece[0] = stays ? *text : piece[0];
        if (used + shown >= size)
            break;
        memcpy(out + used, piece, shown);
        used += shown;
        text += n ? n : 1;
        len -= n ? n : 1;
    }
    if (size > 0)
        out[used] = '\0';
    return out;
}

char *text_printable(char *out, size_t size, const char *text, size_t len)
{
    return printable(out, size, text, len, "");
}

char *text_printable_lines(char *out, size_t size, const char *text, size_t len)
{
    return printable(out, size, text, len, "\n\t");
}
