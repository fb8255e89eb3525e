/* needs: job/raised.c base/clock.c */
/* test_raised.c - the note of a limit's error, as a job writes it and its worker reads it. */
#include "job/raised.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static enum limit read_note(const atomic_llong *note, int64_t since)
{
    return raised_between(note, since, clock_ms());
}

static void says_which_limit_and_when(void **unused)
{
    atomic_llong note = 0;
    int64_t before = clock_ms();
    (void)unused;
    raised_open(&note);
    assert_int_equal(read_note(&note, before), LIMIT_NONE);
    for (enum limit which = LIMIT_TIMEOUT; which < LIMIT_COUNT; which++) {
        raised_note(which);
        assert_int_equal(read_note(&note, before), which);
        assert_int_equal(read_note(&note, clock_ms() + 1), LIMIT_NONE);
        assert_int_equal(raised_between(&note, before - 2, before - 1), LIMIT_NONE);
    }
    raised_clear(&note);
    assert_int_equal(read_note(&note, before), LIMIT_NONE);
}

static void takes_the_last_one_back(void **unused)
{
    atomic_llong note = 0;
    int64_t before = clock_ms();
    (void)unused;
    raised_open(&note);
    raised_note(LIMIT_MEMORY);
    raised_take_back();
    assert_int_equal(read_note(&note, before), LIMIT_NONE);
    raised_note(LIMIT_CPU);
    raised_note(LIMIT_MEMORY);
    raised_take_back();
    assert_int_equal(read_note(&note, before), LIMIT_CPU);
}

static void a_forked_process_leaves_it_alone(void **unused)
{
    atomic_llong note = 0; /* a child has its own; what it finds there it exits with */
    int status;
    (void)unused;
    raised_open(&note);
    pid_t pid = fork();
    if (pid == 0) {
        raised_note(LIMIT_CPU);
        raised_take_back();
        _exit(note != 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void what_is_no_note_counts_as_none(void **unused)
{
    static const long long values[] = {-1, -7, INT64_MIN, INT64_MAX, 1, 0};
    (void)unused;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        atomic_llong note = values[i];
        assert_int_equal(raised_between(&note, 1, 1000), LIMIT_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_which_limit_and_when),
        cmocka_unit_test(takes_the_last_one_back),
        cmocka_unit_test(a_forked_process_leaves_it_alone),
        cmocka_unit_test(what_is_no_note_counts_as_none),
    };
    return cmocka_run_group_tests_name("raised", tests, NULL, NULL);
}
