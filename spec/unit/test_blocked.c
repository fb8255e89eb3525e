/* needs: worker/blocked.c base/log.c base/text.c */
/* test_blocked.c - how often it is said that no job can start, on a clock of the test's own. */
#include "worker/blocked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static const char broken[] = "jobs.lua:1: syntax error";

/* What is said is in the pause: it grows when a line is written. */
static long lines_in(struct blocked *b, int seconds)
{
    long lines = 0;
    for (int64_t now = 1000; now < seconds * INT64_C(1000); now += 1000) {
        int64_t before = b->say_at;
        assert_false(blocked_note(b, broken, now));
        lines += b->say_at != before;
    }
    return lines;
}

static void says_it_once_and_then_rarely(void **state)
{
    struct blocked b = {0};
    (void)state;
    assert_true(blocked_note(&b, broken, 0));
    assert_string_equal(b.why, broken);
    assert_int_equal(lines_in(&b, 3600), 8 + 10); /* after 2, 6, 14 … 510 s, then each 300 s */
    assert_int_equal(b.tries, 3600);
}

static void another_reason_is_news(void **state)
{
    struct blocked b = {0};
    (void)state;
    assert_true(blocked_note(&b, broken, 0));
    assert_false(blocked_note(&b, broken, 1000));
    assert_true(blocked_note(&b, "fork failed: no memory", 2000));
    assert_string_equal(b.why, "fork failed: no memory");
    assert_int_equal(b.tries, 1);
    assert_false(blocked_note(&b, "fork failed: no memory", 3000));
    assert_true(blocked_note(&b, broken, 4000));
}

/* As of an error that is a table: its text holds an address. */
static void a_text_that_is_always_another_is_no_news(void **state)
{
    struct blocked b = {0};
    char why[32];
    (void)state;
    int news = 0;
    for (int i = 0; i < 100; i++) {
        snprintf(why, sizeof why, "table: 0x%d", i);
        news += blocked_note(&b, why, i * INT64_C(1000));
    }
    assert_int_equal(news, 1);
    assert_string_equal(b.why, why);
}

static void keeps_a_first_line_that_can_be_shown(void **state)
{
    struct blocked b = {0};
    char why[4 * BLOCKED_WHY];
    (void)state;
    blocked_note(&b, "a\tb\033[31m\nstack traceback", 0);
    assert_string_equal(b.why, "a\\tb\\x1B[31m");
    memset(why, 'x', sizeof why - 1);
    why[sizeof why - 1] = '\0';
    blocked_note(&b, why, 0);
    assert_int_equal(strlen(b.why), BLOCKED_WHY - 1);
}

static void is_over_once(void **state)
{
    struct blocked b = {0};
    (void)state;
    assert_false(blocked_over(&b, 0));
    blocked_note(&b, broken, 0);
    assert_true(blocked_over(&b, 1000));
    assert_false(blocked_over(&b, 1000));
    assert_true(blocked_note(&b, broken, 2000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_it_once_and_then_rarely),
        cmocka_unit_test(another_reason_is_news),
        cmocka_unit_test(a_text_that_is_always_another_is_no_news),
        cmocka_unit_test(keeps_a_first_line_that_can_be_shown),
        cmocka_unit_test(is_over_once),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
