/* needs: job/deadline.c */
/* test_deadline.c - which time limit counts, from the fork to the job table's own. */
#include "job/deadline.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

#define FROM 1000

static const struct row {
    double setting;
    bool started;
    double own;     /* 0: the job's table says nothing (yet) */
    double seconds; /* expected; 0: none */
} rows[] = {
    {0, false, 0, DEADLINE_LOAD}, /* loading always has one */
    {0, true, 0, 0},
    {0, true, 0.25, 0.25},
    {30, false, 0, 30},
    {300, false, 0, 300},
    {30, true, 0, 30},
    {30, true, 5, 5},
    {30, true, 600, 600},
    {30, true, INFINITY, 0},
    {30, true, 1e300, 0},
};

static void the_right_one_counts(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct options o = {.limits.timeout = rows[i].setting};
        const struct report r = {.started = rows[i].started, .policy.timeout = rows[i].own};
        struct deadline d = {.from = FROM};
        deadline_set(&d, &r, &o);
        assert_int_equal(d.at, rows[i].seconds > 0 ? FROM + (int64_t)(rows[i].seconds * 1000)
                                                   : CLOCK_NEVER);
        if (d.at != CLOCK_NEVER)
            assert_true(d.seconds == rows[i].seconds);
    }
}

static void what_is_no_job_has_none(void **unused)
{
    const struct options o = {.limits.timeout = 1};
    const struct report r = {0};
    struct deadline d = {0};
    (void)unused;
    deadline_set(&d, &r, &o);
    assert_int_equal(d.at, CLOCK_NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_one_counts),
        cmocka_unit_test(what_is_no_job_has_none),
    };
    return cmocka_run_group_tests_name("deadline", tests, NULL, NULL);
}
