/* needs: base/clock.c */
/* test_clock.c - deadlines saturate and come late rather than early; local time is local. */
#include "base/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_ms_is_the_monotonic_clock(void **unused)
{
    (void)unused;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    int64_t ms = clock_ms();
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(ms >= before.tv_sec * 1000 + before.tv_nsec / 1000000);
    assert_true(ms <= after.tv_sec * 1000 + after.tv_nsec / 1000000);
}

/* A deadline lies `ms` after some moment during the call. */
static void assert_after(double seconds, int64_t ms)
{
    int64_t before = clock_ms();
    int64_t deadline = clock_after(seconds);
    int64_t after = clock_ms();
    assert_true(deadline >= before + ms);
    assert_true(deadline <= after + ms);
}

static void test_after(void **unused)
{
    (void)unused;
    assert_after(0, 0);
    assert_after(1.5, 1500);
    assert_after(86400, 86400000);
    assert_after(0.0001, 1); /* up, or a wait would turn in circles */
    assert_after(0.0011, 2);
    assert_after(-5, 0);
    assert_after(-INFINITY, 0);
}

static void test_after_saturates(void **unused)
{
    (void)unused;
    static const double never[] = {INFINITY, 1e300, 1e12, NAN};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        assert_true(clock_after(never[i]) == CLOCK_NEVER);
}

static void test_local(void **unused)
{
    (void)unused;
    setenv("TZ", "SPEC-05:30", 1); /* east of Greenwich */
    tzset();
    char text[CLOCK_LOCAL_SIZE];
    time_t before = time(NULL);
    clock_local(text);
    time_t after = time(NULL);

    struct tm parts = {0};
    char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &parts);
    assert_non_null(end);
    assert_string_equal(end, "");
    assert_int_equal(strlen(text), CLOCK_LOCAL_SIZE - 1);
    time_t shown = timegm(&parts) - (5 * 60 + 30) * 60;
    assert_true(shown >= before && shown <= after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ms_is_the_monotonic_clock),
        cmocka_unit_test(test_after),
        cmocka_unit_test(test_after_saturates),
        cmocka_unit_test(test_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
