/* needs: base/json_check.c base/text.c */
/* test_json_refused.c - what is no JSON, by table (after JSONTestSuite), and what is said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_copy.h"

static void assert_bad(const char *text, size_t len, const char *expected)
{
    char err[100] = "";
    if (check(text, len, JSON_CHECK_DEPTH, err) != -1)
        fail_msg("accepted: %.*s", (int)len, text);
    assert_string_equal(err, expected);
}

#define EARLY "the text ends too early"
#define NO_VALUE "a value was expected"
#define NO_COMMA "a comma or ] was expected"
#define NO_OBJECT_COMMA "a comma or } was expected"
#define NO_KEY "a key in double quotes was expected"
#define NO_DIGIT "a digit was expected in a number"
#define AFTER "text after the value"
#define ESCAPE "invalid escape"
#define UNICODE_ESCAPE "invalid \\u escape"
#define LONE "lone surrogate"
#define BAD_UTF8 "invalid UTF-8"
#define CONTROL "control character in a string"

static void test_bad(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t len;
        const char *err;
    } rows[] = {
#define ROW(text, at, what) {text, sizeof text - 1, "byte " #at ": " what}
        /* nothing, or not enough */
        ROW("", 1, EARLY),
        ROW(" ", 2, EARLY),
        ROW("[", 2, EARLY),
        ROW("{", 2, EARLY),
        ROW("[1", 3, EARLY),
        ROW("[1,", 4, EARLY),
        ROW("{\"a\"", 5, EARLY),
        ROW("{\"a\":", 6, EARLY),
        ROW("{\"a\":1", 7, EARLY),
        ROW("{\"a\":1,", 8, EARLY),
        ROW("\"", 2, EARLY),
        ROW("\"a", 3, EARLY),
        ROW("\"\\", 3, EARLY),
        ROW("\"\\\"", 4, EARLY),
        ROW("\"\\u12", 6, EARLY),
        ROW("nul", 4, EARLY),
        ROW("-", 2, EARLY),
        ROW("1.", 3, EARLY),
        ROW("1e", 3, EARLY),
        ROW("1e+", 4, EARLY),
        ROW("[[[[", 5, EARLY),
        ROW("\"\\ud800", 4, LONE),
        /* numbers that other parsers take */
        ROW("NaN", 1, NO_VALUE),
        ROW("nan", 2, NO_VALUE),
        ROW("[NaN]", 2, NO_VALUE),
        ROW("Infinity", 1, NO_VALUE),
        ROW("-Infinity", 2, NO_DIGIT),
        ROW("-NaN", 2, NO_DIGIT),
        ROW("inf", 1, NO_VALUE),
        ROW("0x10", 2, AFTER),
        ROW("[0x10]", 3, NO_COMMA),
        ROW("01", 2, AFTER),
        ROW("[01]", 3, NO_COMMA),
        ROW("-01", 3, AFTER),
        ROW("[012]", 3, NO_COMMA),
        ROW("00", 2, AFTER),
        ROW("+1", 1, NO_VALUE),
        ROW("[++1]", 2, NO_VALUE),
        ROW("--1", 2, NO_DIGIT),
        ROW("- 1", 2, NO_DIGIT),
        ROW(".5", 1, NO_VALUE),
        ROW("-.5", 2, NO_DIGIT),
        ROW("[1.]", 4, NO_DIGIT),
        ROW("1.e1", 3, NO_DIGIT),
        ROW("[0.e1]", 4, NO_DIGIT),
        ROW("1.2.3", 4, AFTER),
        ROW("1eE2", 3, NO_DIGIT),
        ROW("[1e]", 4, NO_DIGIT),
        ROW("[1e+]", 5, NO_DIGIT),
        ROW("1e1.5", 4, AFTER),
        ROW("1 000", 3, AFTER),
        ROW("1_000", 2, AFTER),
        ROW("1a", 2, AFTER),
        ROW("[-]", 3, NO_DIGIT),
        ROW("1+2", 2, AFTER),
        ROW("[\xEF\xBC\x91]", 2, NO_VALUE),
        ROW("0b1", 2, AFTER),
        ROW("1f", 2, AFTER),
        /* words */
        ROW("True", 1, NO_VALUE),
        ROW("TRUE", 1, NO_VALUE),
        ROW("tRue", 2, NO_VALUE),
        ROW("fals", 5, EARLY),
        ROW("falsy", 5, NO_VALUE),
        ROW("nulls", 5, AFTER),
        ROW("nil", 2, NO_VALUE),
        ROW("undefined", 1, NO_VALUE),
        ROW("None", 1, NO_VALUE),
        ROW("a", 1, NO_VALUE),
        ROW("[truefalse]", 6, NO_COMMA),
        ROW("tr", 3, EARLY),
        /* arrays */
        ROW("]", 1, NO_VALUE),
        ROW("[1}", 3, NO_COMMA),
        ROW("[,]", 2, NO_VALUE),
        ROW("[1,]", 4, NO_VALUE),
        ROW("[,1]", 2, NO_VALUE),
        ROW("[1,,2]", 4, NO_VALUE),
        ROW("[1 2]", 4, NO_COMMA),
        ROW("[1:2]", 3, NO_COMMA),
        ROW("[\"a\":1]", 5, NO_COMMA),
        ROW("[]]", 3, AFTER),
        ROW("[][]", 3, AFTER),
        ROW("[1],", 4, AFTER),
        ROW("[\"\"", 4, EARLY),
        ROW("[(1)]", 2, NO_VALUE),
        ROW("[\"a\" \"b\"]", 6, NO_COMMA),
        ROW("[*]", 2, NO_VALUE),
        ROW("[;1]", 2, NO_VALUE),
        /* objects */
        ROW("}", 1, NO_VALUE),
        ROW("{]", 2, NO_KEY),
        ROW("{\"a\":1]", 7, NO_OBJECT_COMMA),
        ROW("{,}", 2, NO_KEY),
        ROW("{\"a\":1,}", 8, NO_KEY),
        ROW("{\"a\":1,,\"b\":2}", 8, NO_KEY),
        ROW("{\"a\"}", 5, "a colon was expected"),
        ROW("{\"a\",1}", 5, "a colon was expected"),
        ROW("{\"a\" 1}", 6, "a colon was expected"),
        ROW("{\"a\"::1}", 6, NO_VALUE),
        ROW("{\"a\":}", 6, NO_VALUE),
        ROW("{:1}", 2, NO_KEY),
        ROW("{a:1}", 2, NO_KEY),
        ROW("{1:1}", 2, NO_KEY),
        ROW("{'a':1}", 2, NO_KEY),
        ROW("{null:1}", 2, NO_KEY),
        ROW("{[]:1}", 2, NO_KEY),
        ROW("{{}}", 2, NO_KEY),
        ROW("{\"a\":1 \"b\":2}", 8, NO_OBJECT_COMMA),
        ROW("{\"a\":1:2}", 7, NO_OBJECT_COMMA),
        ROW("{\"a\":1};", 8, AFTER),
        ROW("{}}", 3, AFTER),
        ROW("{\"a\":\"b\"}#", 10, AFTER),
        /* comments, quotes, other languages */
        ROW("//", 1, NO_VALUE),
        ROW("/**/1", 1, NO_VALUE),
        ROW("1//", 2, AFTER),
        ROW("[1/**/]", 3, NO_COMMA),
        ROW("'a'", 1, NO_VALUE),
        ROW("`a`", 1, NO_VALUE),
        ROW("<null>", 1, NO_VALUE),
        ROW("a:1:{}", 1, NO_VALUE),
        ROW("[1]x", 4, AFTER),
        ROW("1 2", 3, AFTER),
        ROW("{} {}", 4, AFTER),
        ROW("$", 1, NO_VALUE),
        /* blanks that are none */
        ROW("\v1", 1, NO_VALUE),
        ROW("\f[]", 1, NO_VALUE),
        ROW("[\f]", 2, NO_VALUE),
        ROW("\xC2\xA0"
            "1",
            1, NO_VALUE),
        ROW("\xE2\x81\xA0[]", 1, NO_VALUE),
        ROW("1\0", 2, AFTER),
        ROW("\0", 1, NO_VALUE),
        ROW("[\0]", 2, NO_VALUE),
        ROW("[1]\0", 4, AFTER),
        ROW("[1,\x00"
            "2]",
            4, NO_VALUE),
        /* byte order marks, other encodings */
        ROW("\xEF\xBB\xBF{}", 1, NO_VALUE),
        ROW("\xEF\xBB\xBF", 1, NO_VALUE),
        ROW("\xFF\xFE[\0]\0", 1, NO_VALUE),
        ROW("\0[\0]", 1, NO_VALUE),
        ROW("[\0]\0", 2, NO_VALUE),
        /* escapes */
        ROW("\"\\a\"", 3, ESCAPE),
        ROW("\"\\'\"", 3, ESCAPE),
        ROW("\"\\x00\"", 3, ESCAPE),
        ROW("\"\\U0041\"", 3, ESCAPE),
        ROW("\"\\0\"", 3, ESCAPE),
        ROW("\"\\\0\"", 3, ESCAPE),
        ROW("\"\\\n\"", 3, ESCAPE),
        ROW("\"\\\xC3\xBC\"", 3, ESCAPE),
        ROW("\"\\ \"", 3, ESCAPE),
        ROW("\"\\v\"", 3, ESCAPE),
        ROW("[\\n]", 2, NO_VALUE),
        ROW("\"\\u\"", 4, UNICODE_ESCAPE),
        ROW("\"\\u0\"", 5, UNICODE_ESCAPE),
        ROW("\"\\u00A\"", 7, UNICODE_ESCAPE),
        ROW("\"\\u00G0\"", 6, UNICODE_ESCAPE),
        ROW("\"\\u 041\"", 4, UNICODE_ESCAPE),
        ROW("\"\\u+041\"", 4, UNICODE_ESCAPE),
        ROW("\"\\u004\0\"", 7, UNICODE_ESCAPE),
        ROW("\"\\u00:0\"", 6, UNICODE_ESCAPE),
        ROW("\"\\u00@0\"", 6, UNICODE_ESCAPE),
        ROW("\"\\u00/0\"", 6, UNICODE_ESCAPE),
        ROW("\"\\u00`0\"", 6, UNICODE_ESCAPE),
        ROW("\"\\u{41}\"", 4, UNICODE_ESCAPE),
        /* surrogates */
        ROW("\"\\ud800\"", 4, LONE),
        ROW("\"\\uDC00\"", 4, LONE),
        ROW("\"\\udfff\\ud800\"", 4, LONE),
        ROW("\"\\ud800a\"", 4, LONE),
        ROW("\"\\ud800\\n\"", 4, LONE),
        ROW("\"\\ud800\\ud800\"", 4, LONE),
        ROW("\"\\ud800\\u0041\"", 4, LONE),
        ROW("\"\\ud800\\ue000\"", 4, LONE),
        ROW("\"\\ud800\\u12\"", 4, LONE),
        ROW("\"\\ud800\\u\"", 4, LONE),
        ROW("\"\\ud800\\\"", 4, LONE),
        ROW("\"\\ud83d\\ude39\\ude39\"", 16, LONE),
        ROW("\"\\uDBFF\\uDBFF\\uDFFF\"", 4, LONE),
        ROW("\"\\ud800u\\dc00\"", 4, LONE),
        /* control characters in strings */
        ROW("\"\0\"", 2, CONTROL),
        ROW("\"a\nb\"", 3, CONTROL),
        ROW("\"\t\"", 2, CONTROL),
        ROW("\"\x1F\"", 2, CONTROL),
        ROW("\"\x1B[0m\"", 2, CONTROL),
        ROW("{\"a\n\":1}", 4, CONTROL),
        /* bytes that are no UTF-8 */
        ROW("\"\x80\"", 2, BAD_UTF8),
        ROW("\"\xBF\"", 2, BAD_UTF8),
        ROW("\"\xC0\x80\"", 2, BAD_UTF8),
        ROW("\"\xC1\xBF\"", 2, BAD_UTF8),
        ROW("\"\xC3\"", 2, BAD_UTF8),
        ROW("\"\xC3(\"", 2, BAD_UTF8),
        ROW("\"\xE0\x80\x80\"", 2, BAD_UTF8),
        ROW("\"\xE0\x9F\xBF\"", 2, BAD_UTF8),
        ROW("\"\xE2\x82\"", 2, BAD_UTF8),
        ROW("\"\xE2(\xA1\"", 2, BAD_UTF8),
        ROW("\"\xED\xA0\x80\"", 2, BAD_UTF8),
        ROW("\"\xED\xBF\xBF\"", 2, BAD_UTF8),
        ROW("\"\xED\xA0\xBD\xED\xB8\x80\"", 2, BAD_UTF8),
        ROW("\"\xF0\x80\x80\x80\"", 2, BAD_UTF8),
        ROW("\"\xF0\x8F\xBF\xBF\"", 2, BAD_UTF8),
        ROW("\"\xF4\x90\x80\x80\"", 2, BAD_UTF8),
        ROW("\"\xF5\x80\x80\x80\"", 2, BAD_UTF8),
        ROW("\"\xF8\x88\x80\x80\x80\"", 2, BAD_UTF8),
        ROW("\"\xFE\"", 2, BAD_UTF8),
        ROW("\"\xFF\"", 2, BAD_UTF8),
        ROW("\"\xF0\x9F\x98\"", 2, BAD_UTF8),
        ROW("\"ab\xE9t\xE9\"", 4, BAD_UTF8),
        ROW("{\"\xE9\":1}", 3, BAD_UTF8),
        ROW("\xE9", 1, NO_VALUE),
        ROW("[\xE9]", 2, NO_VALUE),
        ROW("1\xE9", 2, AFTER),
        ROW("[\"\xC3", 3, BAD_UTF8),
#undef ROW
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_bad(rows[i].text, rows[i].len, rows[i].err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
