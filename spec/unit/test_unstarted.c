/* needs: worker/unstarted.c worker/death.c job/board.c job/raised.c job/limit.c base/clock.c */
/* needs: base/plain.c */
/* test_unstarted.c - how often one job's process has died before the job began. */
#include "worker/unstarted.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void counts_one_job_in_a_row(void **state)
{
    const struct report silent = {0};
    const struct death early = {.report = &silent}, late = {.report = &silent, .started = true};
    const struct job a = {.id = (char[]){"a"}}, b = {.id = (char[]){"b"}},
                     nameless = {.id = (char[]){""}, .class = (char[]){"a"}};
    struct unstarted u = {0};
    (void)state;
    assert_int_equal(unstarted_count(&u, &a, &early), 1);
    assert_int_equal(unstarted_count(&u, &a, &early), 2);
    assert_int_equal(unstarted_count(&u, &nameless, &early), 3); /* by its class: the same name */
    assert_int_equal(unstarted_count(&u, &b, &early), 1);
    assert_int_equal(unstarted_count(&u, &a, &early), 1);
    assert_int_equal(unstarted_count(&u, &b, &late), 0);
    assert_int_equal(unstarted_count(&u, &a, &early), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(counts_one_job_in_a_row)};
    return cmocka_run_group_tests_name("unstarted", tests, NULL, NULL);
}
