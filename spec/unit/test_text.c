/* needs: base/text.c */
/* test_text.c - UTF-8 by every code point there is, and what people get to see by table. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Writes `code` in `n` bytes as the scheme of UTF-8 goes, also where that is forbidden. */
static void encode(char out[4], uint32_t code, size_t n)
{
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = n - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(0x80 | (code & 0x3F));
    out[0] = (char)(first[n] | code);
}

static size_t shortest(uint32_t code)
{
    return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static void test_every_code_point(void **unused)
{
    (void)unused;
    char text[4];
    for (uint32_t code = 0; code < 0x200000; code++) {
        size_t n = shortest(code);
        int valid = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        encode(text, code, n);
        if (text_utf8_length(text, n) != (valid ? n : 0))
            fail_msg("U+%04X in %zu bytes", code, n);
        if (n > 1 && text_utf8_length(text, n - 1) != 0)
            fail_msg("U+%04X without its last byte", code);
        for (size_t longer = n + 1; longer <= 4; longer++) {
            encode(text, code, longer);
            if (text_utf8_length(text, longer) != 0)
                fail_msg("U+%04X in %zu bytes is overlong", code, longer);
        }
    }
}

static void test_every_pair_of_bytes(void **unused)
{
    (void)unused;
    for (int first = 0; first < 256; first++)
        for (int second = 0; second < 256; second++) {
            char text[2] = {(char)first, (char)second};
            int is_pair = first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF;
            size_t expected = first < 0x80 ? 1 : is_pair ? 2 : 0;
            if (text_utf8_length(text, 2) != expected)
                fail_msg("%02X %02X", first, second);
        }
}

static void test_third_and_fourth_byte(void **unused)
{
    (void)unused;
    assert_int_equal(text_utf8_length("\xE2\x82\x7F", 3), 0);
    assert_int_equal(text_utf8_length("\xE2\x82\xC0", 3), 0);
    assert_int_equal(text_utf8_length("\xF0\x9F\x98\x41", 4), 0);
    assert_int_equal(text_utf8_length("\xF0\x9F\x41\x80", 4), 0);
    assert_int_equal(text_utf8_length("", 0), 0);
}

static void test_clean(void **unused)
{
    (void)unused;
    static const struct {
        const char *text, *cleaned;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
        {"\xE6\xAA\xA2\xE6\x9F\xA5", "\xE6\xAA\xA2\xE6\x9F\xA5"},
        {"a\x80z", "a?z"},
        {"\xC3", "?"},
        {"\xC3(", "?("},
        {"\xE2\x82", "??"}, /* cut off: each byte by itself */
        {"\xE2\x82_", "??_"},
        {"\xC0\xAF", "??"},           /* overlong / */
        {"\xED\xA0\x80", "???"},      /* surrogate */
        {"\xF4\x90\x80\x80", "????"}, /* above U+10FFFF */
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"},
        {"\xFE\xFF", "??"},
        {"\n\x1B", "\n\x1B"}, /* control characters are valid UTF-8 */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = strdup(rows[i].text);
        text_clean_utf8(text, strlen(text));
        assert_string_equal(text, rows[i].cleaned);
        free(text);
    }
}

static void test_clean_goes_by_length(void **unused)
{
    (void)unused;
    char text[] = "a\0\xFF\xC3\xBC";
    text_clean_utf8(text, 4); /* cuts the u-umlaut in two */
    assert_memory_equal(text, "a\0??\xBC", 5);
}

static void test_printable(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t len;
        const char *shown;
    } rows[] = {
#define ROW(text, shown) {text, sizeof text - 1, shown}
        ROW("", ""),
        ROW("mail,default", "mail,default"),
        ROW("a\nb\rc\td", "a\\nb\\rc\\td"),
        ROW("\x1B[31mred", "\\x1B[31mred"),
        ROW("\0\x01\x1F", "\\x00\\x01\\x1F"),
        ROW("\x7F", "\\x7F"),
        ROW("back\\slash \"quote\"", "back\\slash \"quote\""),
        ROW("\xC2\x80\xC2\x9B\xC2\x9F\xC2\xA0", "\\u{0080}\\u{009B}\\u{009F}\xC2\xA0"),
        ROW("\xE2\x80\xA7\xE2\x80\xA8\xE2\x80\xA9", "\xE2\x80\xA7\\u{2028}\\u{2029}"),
        ROW("\xE2\x80\xAEx\xE2\x80\xAF", "\\u{202E}x\xE2\x80\xAF"),
        ROW("\xE2\x81\xA5\xE2\x81\xA6\xE2\x81\xA9\xE2\x81\xAA",
            "\xE2\x81\xA5\\u{2066}\\u{2069}\xE2\x81\xAA"),
        ROW("\xF0\x9F\x98\x80 \xE6\xAA\xA2", "\xF0\x9F\x98\x80 \xE6\xAA\xA2"),
        ROW("\xFF\xC3\xBC\xC3", "?\xC3\xBC?"),
#undef ROW
    };
    char out[64];
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_ptr_equal(text_printable(out, sizeof out, rows[i].text, rows[i].len), out);
        assert_string_equal(out, rows[i].shown);
    }
}

/* With every size there is, the result is the longest beginning that consists of whole pieces. */
static void test_printable_is_cut_between_pieces(void **unused)
{
    (void)unused;
    static const char text[] = "a\xC3\xBC\n\xE2\x80\xA8\xF0\x9F\x98\x80z";
    static const char *const beginnings[] = {
        "",
        "a",
        "a\xC3\xBC",
        "a\xC3\xBC\\n",
        "a\xC3\xBC\\n\\u{2028}",
        "a\xC3\xBC\\n\\u{2028}\xF0\x9F\x98\x80",
        "a\xC3\xBC\\n\\u{2028}\xF0\x9F\x98\x80z",
    };
    size_t whole = strlen(beginnings[COUNT(beginnings) - 1]);
    for (size_t size = 1; size <= whole + 2; size++) {
        const char *expected = "";
        for (size_t i = 0; i < COUNT(beginnings); i++)
            if (strlen(beginnings[i]) < size)
                expected = beginnings[i];
        char *out = malloc(size);
        assert_string_equal(text_printable(out, size, text, sizeof text - 1), expected);
        free(out);
    }
}

static void test_printable_without_room(void **unused)
{
    (void)unused;
    char out = 'x';
    text_printable(&out, 0, "abc", 3);
    assert_int_equal(out, 'x');
}

/* TEXT_PRINTABLE_SIZE holds whatever the bytes are. */
static void test_printable_size(void **unused)
{
    (void)unused;
    for (uint32_t code = 0; code < 0x3000; code++) {
        char text[4], small[TEXT_PRINTABLE_SIZE(4)], large[64];
        size_t n = shortest(code);
        encode(text, code, n);
        text_printable(small, TEXT_PRINTABLE_SIZE(n), text, n);
        text_printable(large, sizeof large, text, n);
        assert_string_equal(small, large);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_point),
        cmocka_unit_test(test_every_pair_of_bytes),
        cmocka_unit_test(test_third_and_fourth_byte),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_clean_goes_by_length),
        cmocka_unit_test(test_printable),
        cmocka_unit_test(test_printable_is_cut_between_pieces),
        cmocka_unit_test(test_printable_without_room),
        cmocka_unit_test(test_printable_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
