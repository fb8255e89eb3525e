/* needs: worker/crash.c job/outcome.c base/memory.c worker/wishes.c os/signals.c os/folder.c */
/* needs: os/insist.c os/events.c base/clock.c base/log.c base/text.c */
/* test_crash.c - which ends of a job are a crash, and whose policy counts. */
#include "worker/crash.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define EXITED(code) ((code) << 8)
#define KILLED(signo) (signo)

static const char dirty[] = "Resque::DirtyExit", term[] = "Resque::TermException";

struct end {
    const char *exception; /* dirty: the process ended without telling how */
    int status;
    const char *killed_for, *limit;
    bool crash;
};

static bool crashes(const struct end *row, enum outcome_kind kind, bool started, int own,
                    int workers)
{
    struct outcome outcome = {.kind = kind,
                              .exception = (char *)(size_t)row->exception,
                              .dirty = row->exception == dirty,
                              .limit = row->limit};
    const struct child child = {.report = {.started = started, .policy.requeue = own},
                                .wait_status = row->status,
                                .killed_for = row->killed_for};
    const struct options options = {.requeue = workers};
    crash_judge(&outcome, &child, &options);
    if (outcome.kind != OUTCOME_CRASHED)
        assert_int_equal(outcome.kind, kind);
    else
        assert_int_equal(outcome.requeue, own >= 0 ? own : workers);
    return outcome.kind == OUTCOME_CRASHED;
}

static void test_which_ends_are_crashes(void **unused)
{
    static const struct end rows[] = {
        {dirty, KILLED(SIGKILL), NULL, NULL, true},
        {dirty, KILLED(SIGSEGV | 0x80), NULL, NULL, true},
        {dirty, EXITED(3), NULL, NULL, true},
        {dirty, EXITED(0), NULL, NULL, false},
        {dirty, KILLED(SIGKILL), "SIGTERM", NULL, true},
        {dirty, KILLED(SIGKILL), "SIGINT", NULL, true},
        {dirty, KILLED(SIGKILL), "SIGTERM (RESQUE_TERM_TIMEOUT is over)", NULL, true},
        {dirty, KILLED(SIGKILL), "SIGUSR1", NULL, false},
        {dirty, KILLED(SIGTERM), "its time limit of 30 s", "timeout", false},
        {dirty, KILLED(SIGXCPU), "its CPU limit", "cpu", false},
        {dirty, KILLED(SIGKILL), "resque-lua job --kill", NULL, false},
        {term, EXITED(0), "SIGTERM", NULL, true},
        {term, EXITED(0), NULL, NULL, true}, /* all of its control group got TERM */
        {term, EXITED(0), "SIGUSR1", NULL, false},
        {"LuaError", EXITED(0), NULL, NULL, false},
        {"LuaError", KILLED(SIGSEGV), NULL, NULL, false},
        {"Resque::MemoryLimit", EXITED(0), NULL, "memory", false},
        {"Resque::Cancelled", KILLED(SIGKILL), NULL, NULL, false},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (crashes(&rows[i], OUTCOME_FAILED, true, -1, 3) != rows[i].crash)
            fail_msg("row %zu", i);
        assert_false(crashes(&rows[i], OUTCOME_FAILED, true, -1, 0));
    }
}

static void test_only_of_started_jobs_that_failed(void **unused)
{
    static const struct end killed = {dirty, KILLED(SIGKILL), NULL, NULL, true};
    (void)unused;
    assert_false(crashes(&killed, OUTCOME_FAILED, false, -1, 3));
    assert_false(crashes(&killed, OUTCOME_PUT_BACK, false, -1, 3));
    assert_false(crashes(&killed, OUTCOME_DONE, true, -1, 3));
}

static void test_the_table_beats_the_worker(void **unused)
{
    static const struct end killed = {dirty, KILLED(SIGKILL), NULL, NULL, true};
    (void)unused;
    assert_true(crashes(&killed, OUTCOME_FAILED, true, 2, 0));
    assert_true(crashes(&killed, OUTCOME_FAILED, true, 2, 5));
    assert_false(crashes(&killed, OUTCOME_FAILED, true, 0, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_ends_are_crashes),
        cmocka_unit_test(test_only_of_started_jobs_that_failed),
        cmocka_unit_test(test_the_table_beats_the_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
