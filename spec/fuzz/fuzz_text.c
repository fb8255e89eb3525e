/* needs: base/text.c */
/* fuzz_text.c - cleaned and printable text keeps its promises for any bytes and any room. */
#include "base/text.h"

#include "fuzz.h"

static void check_lengths(const char *text, size_t len)
{
    for (size_t i = 0; i <= len; i++)
        CHECK(text_utf8_length(text + i, len - i) ==
              reference_utf8((const uint8_t *)text + i, len - i));
}

/* Valid afterwards; whatever was part of a valid character is still there. */
static void check_clean(const char *text, size_t len)
{
    char *cleaned = malloc(len ? len : 1);
    memcpy(cleaned, text, len);
    text_clean_utf8(cleaned, len);
    CHECK(reference_is_utf8(cleaned, len));
    for (size_t i = 0; i < len;) {
        size_t n = reference_utf8((const uint8_t *)text + i, len - i);
        CHECK(n > 0 ? memcmp(cleaned + i, text + i, n) == 0 : cleaned[i] == '?');
        i += n ? n : 1;
    }
    free(cleaned);
}

/* By bytes: C1 is C2 80..9F, the separators and marks of direction are E2 80 A8..AE and E2 81
 * A6..A9. */
static bool is_harmless(const char *shown)
{
    for (const uint8_t *s = (const uint8_t *)shown; *s; s++) {
        bool mark = s[0] == 0xE2 && ((s[1] == 0x80 && s[2] >= 0xA8 && s[2] <= 0xAE) ||
                                     (s[1] == 0x81 && s[2] >= 0xA6 && s[2] <= 0xA9));
        if (*s < ' ' || *s == 0x7F || (s[0] == 0xC2 && s[1] < 0xA0) || mark)
            return false;
    }
    return reference_is_utf8(shown, strlen(shown));
}

static void check_printable(const char *text, size_t len)
{
    size_t size = TEXT_PRINTABLE_SIZE(len);
    char *whole = malloc(size);
    CHECK(text_printable(whole, size, text, len) == whole);
    CHECK(is_harmless(whole));
    CHECK(strlen(whole) >= len); /* nothing is left out */

    size_t room = len ? (uint8_t)text[0] : 0;
    char *cut = malloc(room ? room : 1);
    cut[0] = '\0';
    CHECK(text_printable(cut, room, text, len) == cut);
    CHECK(is_harmless(cut));
    CHECK(strlen(cut) < room || room == 0);
    CHECK(strncmp(cut, whole, strlen(cut)) == 0);
    CHECK(strlen(whole) < room ? strlen(cut) == strlen(whole)
                               : strlen(cut) + strlen("\\u{2028}") >= room);
    free(cut);
    free(whole);
}

/* Line ends and tabs stay, all else is as in a single line. */
static void check_lines(const char *text, size_t len)
{
    size_t size = TEXT_PRINTABLE_SIZE(len);
    char *shown = malloc(size);
    CHECK(text_printable_lines(shown, size, text, len) == shown);
    for (char *at = shown; (at = strpbrk(at, "\n\t"));)
        *at = ' ';
    CHECK(is_harmless(shown) && strlen(shown) >= len);
    free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_lengths(text, size);
    check_clean(text, size);
    check_printable(text, size);
    check_lines(text, size);
    return 0;
}
