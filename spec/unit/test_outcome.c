/* needs: job/outcome.c base/memory.c base/text.c */
/* test_outcome.c - what an outcome owns. */
#include "base/memory.h"
#include "job/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_copy_is_whole_and_its_own(void **state)
{
    struct outcome o, copy;
    (void)state;
    outcome_fail(&o, OUTCOME_MALFORMED, "E", "why");
    outcome_copy(&copy, &o);
    outcome_clear(&o);
    assert_int_equal(copy.kind, OUTCOME_MALFORMED);
    assert_string_equal(copy.exception, "E");
    assert_string_equal(copy.error, "why");
    assert_null(copy.trace);
    outcome_clear(&copy);
}

/* `len` bytes: lines of 100 bytes. */
static char *lines(size_t len)
{
    char *text = memory_get(len + 1);
    memset(text, 'x', len);
    for (size_t i = 99; i < len; i += 100)
        text[i] = '\n';
    text[len] = '\0';
    return text;
}

static void what_is_too_long_is_cut(void **state)
{
    struct outcome o = {.kind = OUTCOME_DONE, .result = lines(5000), .result_len = 5000};
    (void)state;
    assert_int_equal(outcome_size(&o), 5000);
    outcome_shorten(&o);
    assert_string_equal(o.result, "null");
    assert_int_equal(o.result_len, 4);
    outcome_clear(&o);

    outcome_fail(&o, OUTCOME_FAILED, "E", "");
    free(o.error);
    o.error = lines(5000);
    memcpy(o.error + OUTCOME_SHORT - 1, "\xc3\xa4", 2);
    o.trace = lines(5000);
    outcome_shorten(&o);
    assert_string_equal(o.exception, "E");
    assert_int_equal(strlen(o.error), OUTCOME_SHORT);
    assert_int_equal(o.error[OUTCOME_SHORT - 1], '?');
    assert_int_equal(strlen(o.trace), OUTCOME_SHORT / 100 * 100);
    outcome_clear(&o);
}

static void what_is_short_stays(void **state)
{
    struct outcome o;
    (void)state;
    outcome_fail(&o, OUTCOME_FAILED, "E", "why");
    o.trace = memory_copy("a\nb\n", 4);
    o.result = memory_copy("{}", 2);
    o.result_len = 2;
    outcome_shorten(&o);
    assert_string_equal(o.error, "why");
    assert_string_equal(o.trace, "a\nb\n");
    assert_string_equal(o.result, "{}");
    assert_int_equal(outcome_size(&o), 10);
    outcome_clear(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_whole_and_its_own),
        cmocka_unit_test(what_is_too_long_is_cut),
        cmocka_unit_test(what_is_short_stays),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
