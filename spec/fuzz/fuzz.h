/* fuzz.h - what the fuzz targets share: the entry point, a check that stays in optimised builds,
 * and UTF-8 once more, written another way than src/base/text.c so that the two can be compared.
 * Not part of the program. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Decodes first, then asks whether the number may be written like that. 0: no. */
static inline size_t reference_utf8(const uint8_t *s, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = 0;
    while (n < 8 && len > 0 && s[0] << n & 0x80)
        n++;
    if (n == 0)
        return len > 0;
    if (n == 1 || n > 4 || n > len)
        return 0;
    uint32_t code = s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (s[i] >> 6 != 2)
            return 0;
        code = code * 64 + s[i] % 64;
    }
    return code < smallest[n] || code > 0x10FFFF || code >> 11 == 0xD800 >> 11 ? 0 : n;
}

static inline bool reference_is_utf8(const char *text, size_t len)
{
    for (size_t n; len > 0; text += n, len -= n)
        if ((n = reference_utf8((const uint8_t *)text, len)) == 0)
            return false;
    return true;
}

#endif
