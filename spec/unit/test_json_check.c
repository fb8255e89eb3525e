/* needs: base/json_check.c base/text.c */
/* test_json_check.c - what is JSON, by table (after JSONTestSuite), and the limits. What is none is
 * test_json_refused's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json_copy.h"

static void assert_good(const char *text, size_t len)
{
    char err[100] = "";
    if (check(text, len, JSON_CHECK_DEPTH, err) != 0)
        fail_msg("refused: %.*s: %s", (int)len, text, err);
}

static void test_good(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
#define ROW(text) {text, sizeof text - 1}
        /* a value by itself */
        ROW("null"),
        ROW("true"),
        ROW("false"),
        ROW("\"\""),
        ROW("0"),
        ROW("[]"),
        ROW("{}"),
        ROW(" \t\r\n[ \t\r\n] \t\r\n"),
        ROW("[[] ]"),
        ROW("[\"a\"]\n"),
        /* what the fleet sends */
        ROW("{\"class\":\"Mail\",\"args\":[{\"to\":\"chris@example.org\"}],\"id\":\"a9\","
            "\"queue_time\":1795341117.777}"),
        ROW("{\"class\":\"A\\\\B\",\"args\":[null]}"),
        ROW("{\"class\":\"X\",\"args\":[[]]}"),
        ROW("{ \"a\" : { \"b\" : [ 1 , 2 , { } ] } , \"c\" : null }"),
        /* numbers */
        ROW("-0"),
        ROW("[-0]"),
        ROW("[123]"),
        ROW("[-1]"),
        ROW("[0.5]"),
        ROW("[0e1]"),
        ROW("[0e+1]"),
        ROW("[0E-1]"),
        ROW("[1E22]"),
        ROW("[1e-2]"),
        ROW("[1E+2]"),
        ROW("[123e45]"),
        ROW("[123.456e78]"),
        ROW("[-0."
            "00000000000000000000000000000000000000000000000000000000000000000000000000000001]"),
        ROW("[20e1]"),
        ROW("[1.000000000000000005]"),
        ROW("9223372036854775807"),
        ROW("-9223372036854775808"),
        ROW("9007199254740993"),
        ROW("123456789012345678901234567890"),
        ROW("1e400"),
        ROW("-1e9999999999"),
        ROW("1e-400"),
        /* strings */
        ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        ROW("\"\\u0000\""),
        ROW("\"\\u0012\\uABCD\\uabcd\\uFFFF\""),
        ROW("\"\\uD801\\udc37\""),
        ROW("\"\\ud83d\\ude39\\ud83d\\udc8d\""),
        ROW("\"\\uDBFF\\uDFFF\""),
        ROW("\"\\ud7ff\\ue000\""),
        ROW("\"\\\\u0000\""),
        ROW("\"\\\\ud800\""),
        ROW("\"a/*b*/c\""),
        ROW("\"\x7F\""),
        ROW("\" \""),
        ROW("\"asd\""),
        ROW("\"\xC2\x80\xDF\xBF\""),
        ROW("\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\""),
        ROW("\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\""),
        ROW("\"\xE2\x80\xA8\xE2\x80\xA9\""),
        ROW("\"\xEF\xBB\xBF\""),
        /* objects */
        ROW("{\"\":0}"),
        ROW("{\"a\":1,\"a\":2}"),
        ROW("{\"a\\u0000b\":0}"),
        ROW("{\"\xC3\xBC\":[]}"),
        ROW("{\"a\":{\"a\":{\"a\":[{\"a\":[[],{}]}]}}}"),
#undef ROW
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_good(rows[i].text, rows[i].len);
}

/* Every \uXXXX: only surrogates need company. */
static void test_every_unicode_escape(void **unused)
{
    (void)unused;
    for (unsigned code = 0; code <= 0xFFFF; code++) {
        char text[16], err[100];
        int len = snprintf(text, sizeof text, "\"\\u%04x\"", code);
        int expected = code >= 0xD800 && code <= 0xDFFF ? -1 : 0;
        if (check(text, (size_t)len, JSON_CHECK_DEPTH, err) != expected)
            fail_msg("%s", text);
    }
}

static void test_every_surrogate_edge(void **unused)
{
    (void)unused;
    static const unsigned codes[] = {0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000};
    for (size_t i = 0; i < COUNT(codes); i++)
        for (size_t j = 0; j < COUNT(codes); j++) {
            char text[24], err[100];
            int len = snprintf(text, sizeof text, "\"\\u%04X\\u%04X\"", codes[i], codes[j]);
            int plain = (i == 0 || i == 5) && (j == 0 || j == 5);
            int pair = (i == 1 || i == 2) && (j == 3 || j == 4);
            if (check(text, (size_t)len, JSON_CHECK_DEPTH, err) != (plain || pair ? 0 : -1))
                fail_msg("%s", text);
        }
}

/* No beginning of a container or string is JSON, and no byte read for it lies behind its end. */
static void test_every_beginning(void **unused)
{
    (void)unused;
    static const char text[] = "{\"class\":\"A\\u00e9\\ud83d\\ude39\",\"args\":[{\"n\":-12.5e+3,"
                               "\"t\":[true,false,null]},\"\xF0\x9F\x98\x80\"]}";
    size_t len = sizeof text - 1;
    char err[100];
    assert_good(text, len);
    for (size_t n = 0; n < len; n++) {
        assert_int_equal(check(text, n, JSON_CHECK_DEPTH, err), -1);
        size_t at = strtoul(err + strlen("byte "), NULL, 10);
        assert_in_range(at, 1, n + 1);
    }
}

/* `levels` containers; which of them are objects says bit (level % 64) of `objects`. */
static char *nest(size_t levels, uint64_t objects, size_t *len)
{
    char *text = malloc(levels * 7 + 2), *at = text;
    for (size_t i = 0; i < levels; i++)
        at = stpcpy(at, objects >> i % 64 & 1 ? "{\"k\":" : "[");
    at = stpcpy(at, "1");
    for (size_t i = levels; i-- > 0;)
        *at++ = objects >> i % 64 & 1 ? '}' : ']';
    *len = (size_t)(at - text);
    return text;
}

static void assert_depth(size_t levels, int max_depth, uint64_t objects, int expected)
{
    size_t len;
    char err[100];
    char *text = nest(levels, objects, &len);
    assert_int_equal(check(text, len, max_depth, err), expected);
    if (expected < 0)
        assert_non_null(strstr(err, ": nested too deep"));
    free(text);
}

static void test_depth_is_exact(void **unused)
{
    (void)unused;
    static const int depths[] = {0, 1, 2, 7, 8, 9, 97, JSON_CHECK_DEPTH, 99, 1023, 1024};
    static const uint64_t kinds[] = {0, ~UINT64_C(0), UINT64_C(0x9E3779B97F4A7C15)};
    for (size_t i = 0; i < COUNT(depths); i++)
        for (size_t j = 0; j < COUNT(kinds); j++) {
            assert_depth((size_t)depths[i], depths[i], kinds[j], 0);
            assert_depth((size_t)depths[i] + 1, depths[i], kinds[j], -1);
        }
    assert_depth(1025, 1000000, 0, -1); /* the largest depth there is */
    assert_depth(1, -1, 0, -1);
    assert_int_equal(JSON_CHECK_DEPTH, 98);
}

/* Depth is what is open, not what was opened. */
static void test_siblings_are_not_depth(void **unused)
{
    (void)unused;
    char text[3001], err[100], *at = text;
    at = stpcpy(at, "[[]");
    for (int i = 0; i < 900; i++)
        at = stpcpy(at, i % 2 ? ",[]" : ",{}");
    at = stpcpy(at, "]");
    assert_int_equal(check(text, (size_t)(at - text), 2, err), 0);
    assert_int_equal(check(text, (size_t)(at - text), 1, err), -1);
}

/* Each closing bracket must be the one of its level. */
static void test_wrong_bracket_at_each_level(void **unused)
{
    (void)unused;
    enum { LEVELS = 98 };
    size_t len;
    char err[100], *text = nest(LEVELS, UINT64_C(0x9E3779B97F4A7C15), &len);
    for (size_t i = len - LEVELS; i < len; i++) {
        char right = text[i];
        text[i] = right == ']' ? '}' : ']';
        assert_int_equal(check(text, len, LEVELS, err), -1);
        text[i] = right;
    }
    assert_int_equal(check(text, len, LEVELS, err), 0);
    free(text);
}

/* A stack that grew with the text would be gone. */
static void test_huge(void **unused)
{
    (void)unused;
    enum { SIZE = 10 * 1024 * 1024 };
    char err[100], *text = malloc(SIZE);
    memset(text, '[', SIZE);
    assert_int_equal(json_check(text, SIZE, JSON_CHECK_DEPTH, err, sizeof err), -1);
    assert_string_equal(err, "byte 99: nested too deep");

    memset(text, 'x', SIZE);
    text[0] = text[SIZE - 1] = '"';
    assert_int_equal(json_check(text, SIZE, JSON_CHECK_DEPTH, err, sizeof err), 0);
    text[SIZE - 2] = '\n';
    assert_int_equal(json_check(text, SIZE, JSON_CHECK_DEPTH, err, sizeof err), -1);
    assert_string_equal(err, "byte 10485759: control character in a string");

    memset(text, '7', SIZE);
    assert_int_equal(json_check(text, SIZE, JSON_CHECK_DEPTH, err, sizeof err), 0);
    free(text);
}

static void test_short_err(void **unused)
{
    (void)unused;
    char err[5] = "xxxx";
    assert_int_equal(json_check("x", 1, 1, err, sizeof err), -1);
    assert_string_equal(err, "byte");
    assert_int_equal(json_check("x", 1, 1, NULL, 0), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_every_unicode_escape),
        cmocka_unit_test(test_every_surrogate_edge),
        cmocka_unit_test(test_every_beginning),
        cmocka_unit_test(test_depth_is_exact),
        cmocka_unit_test(test_siblings_are_not_depth),
        cmocka_unit_test(test_wrong_bracket_at_each_level),
        cmocka_unit_test(test_huge),
        cmocka_unit_test(test_short_err),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
