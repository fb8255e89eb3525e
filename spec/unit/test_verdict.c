/* needs: worker/verdict.c worker/kill_reason.c job/outcome.c job/limit.c os/signals.c */
/* needs: base/memory.c base/plain.c base/text.c */
/* test_verdict.c - how a job has ended: what was reported × how its process ended, and what else
 * counts. */
#include "worker/verdict.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define EXITED(code) ((code) << 8)
#define KILLED(signo) (signo)

static void decides_by_report_and_status(void **state)
{
    static const struct {
        enum report_kind reported;
        bool started;
        int exit_code, status;
        enum kill_reason reason;
        enum outcome_kind kind;
        const char *exception, *error;
    } rows[] = {
        {REPORT_DONE, true, 0, EXITED(0), KILL_NONE, OUTCOME_DONE, NULL, NULL},
        {REPORT_DONE, true, 0, KILLED(SIGKILL), KILL_NONE, OUTCOME_DONE, NULL, NULL},
        {REPORT_DONE, true, 0, KILLED(SIGKILL), KILL_TERM, OUTCOME_DONE, NULL, NULL},
        {REPORT_FAILED, true, 0, EXITED(0), KILL_NONE, OUTCOME_FAILED, "E", "m"},
        {REPORT_FAILED, true, 0, KILLED(SIGSEGV), KILL_NONE, OUTCOME_FAILED, "E", "m"},
        {REPORT_EXIT, true, 0, EXITED(0), KILL_NONE, OUTCOME_DONE, NULL, NULL},
        {REPORT_EXIT, true, 3, EXITED(3), KILL_NONE, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 3"},
        {REPORT_EXIT, true, 3, EXITED(3), KILL_TERM, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 3"},
        {REPORT_EXIT, false, 0, EXITED(0), KILL_NONE, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "APP_INCLUDE called os.exit(0) before the job started"},
        {REPORT_EXIT, false, 3, EXITED(3), KILL_NONE, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "APP_INCLUDE called os.exit(3) before the job started"},
        {REPORT_LOAD, false, 0, EXITED(0), KILL_NONE, OUTCOME_PUT_BACK, "Resque::DirtyExit", "m"},
        {REPORT_LOAD, true, 0, EXITED(0), KILL_NONE, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job ended, but its process could not tell how: m"},
        {REPORT_NONE, true, 0, KILLED(SIGKILL), KILL_NONE, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job killed by signal 9 (SIGKILL)"},
        {REPORT_NONE, true, 0, KILLED(SIGKILL), KILL_USR1, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job killed by signal 9 (SIGKILL), by its worker for SIGUSR1"},
        {REPORT_NONE, true, 0, KILLED(SIGKILL), KILL_LEFT_OVER, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job killed by signal 9 (SIGKILL), by its worker for SIGTERM (RESQUE_TERM_TIMEOUT is "
         "over)"},
        {REPORT_NONE, true, 0, KILLED(SIGSEGV | 0x80), KILL_NONE, OUTCOME_FAILED,
         "Resque::DirtyExit", "Job killed by signal 11 (SIGSEGV)"},
        {REPORT_NONE, true, 0, EXITED(0), KILL_NONE, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 0 without reporting a result"},
        {REPORT_NONE, true, 0, EXITED(5), KILL_NONE, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 5 without reporting a result"},
        {REPORT_NONE, false, 0, KILLED(SIGKILL), KILL_NONE, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "its process was killed by signal 9 (SIGKILL) before the job started"},
        {REPORT_NONE, false, 0, EXITED(1), KILL_NONE, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "its process exited with exit code 1 before the job started"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct report report = {.started = rows[i].started,
                                      .kind = rows[i].reported,
                                      .exit_code = rows[i].exit_code,
                                      .result = "[1]",
                                      .result_len = 3,
                                      .failure.exception = "E",
                                      .failure.message = "m",
                                      .failure.trace = "a\n"};
        const struct death death = {.report = &report,
                                    .started = rows[i].started,
                                    .wait_status = rows[i].status,
                                    .reason = rows[i].reason};
        struct outcome o;
        verdict_by_table(&o, &death);
        assert_int_equal(o.kind, rows[i].kind);
        if (rows[i].exception) {
            assert_string_equal(o.exception, rows[i].exception);
            assert_string_equal(o.error, rows[i].error);
        } else {
            assert_string_equal(o.result, rows[i].reported == REPORT_EXIT ? "null" : "[1]");
        }
        outcome_clear(&o);
    }
}

/* Only a death without a word is dirty: what the job told itself has run onFailure already. */
static void says_whose_failure_it_was(void **state)
{
    const struct report told = {.started = true,
                                .kind = REPORT_FAILED,
                                .failure.exception = "E",
                                .failure.message = "m",
                                .failure.trace = ""};
    const struct report silent = {.started = true};
    struct outcome o;
    (void)state;
    verdict_by_table(&o, &(struct death){.report = &told, .started = true});
    assert_false(o.dirty);
    outcome_clear(&o);
    verdict_by_table(
        &o, &(struct death){.report = &silent, .started = true, .wait_status = KILLED(SIGKILL)});
    assert_true(o.dirty);
    outcome_clear(&o);
}

/* The outcome for a worker with ON_CRASH=requeue:3 and limits of its own. */
static struct outcome reach(const struct death *death, int unstarted)
{
    const struct options options = {.fleet.requeue = 3, .limits.cpu = 2, .limits.memory = 16 << 20};
    struct outcome outcome;
    verdict_reach(&outcome, death, unstarted, &options);
    return outcome;
}

/* --- the error of a limit that became an exit --- */

static void hears_of_a_limit_that_became_an_exit(void **state)
{
    static const struct {
        enum report_kind reported;
        int exit_code, status;
        enum kill_reason reason;
        enum limit raised;
        enum outcome_kind kind;
        const char *exception, *limit, *error;
    } rows[] = {
        {REPORT_NONE, 0, EXITED(255), KILL_NONE, LIMIT_CPU, OUTCOME_FAILED, "Resque::CpuLimit",
         "cpu", "used more than 2 s of CPU time (cpu); its process then exited with exit code 255"},
        {REPORT_NONE, 0, EXITED(1), KILL_NONE, LIMIT_MEMORY, OUTCOME_FAILED, "Resque::MemoryLimit",
         "memory", "not enough memory (limit 16 MB); its process then exited with exit code 1"},
        {REPORT_NONE, 0, EXITED(0), KILL_TIMEOUT, LIMIT_NONE, OUTCOME_FAILED, "Resque::DirtyExit",
         "timeout", "its time limit of 5 s"},
        {REPORT_NONE, 0, EXITED(0), KILL_TIMEOUT, LIMIT_TIMEOUT, OUTCOME_FAILED, "Resque::Timeout",
         "timeout", "took longer than 5 s (timeout); its process then exited with exit code 0"},
        {REPORT_EXIT, 3, EXITED(3), KILL_NONE, LIMIT_CPU, OUTCOME_FAILED, "Resque::CpuLimit", "cpu",
         "then exited with exit code 3"},
        {REPORT_NONE, 0, EXITED(1), KILL_TERM, LIMIT_CPU, OUTCOME_FAILED, "Resque::CpuLimit", "cpu",
         "used more than"},
        {REPORT_EXIT, 0, EXITED(0), KILL_NONE, LIMIT_CPU, OUTCOME_DONE, NULL, NULL, NULL},
        {REPORT_DONE, 0, EXITED(0), KILL_NONE, LIMIT_CPU, OUTCOME_DONE, NULL, NULL, NULL},
        {REPORT_FAILED, 0, EXITED(0), KILL_NONE, LIMIT_CPU, OUTCOME_FAILED, "E", NULL, "m"},
        {REPORT_NONE, 0, EXITED(1), KILL_NONE, LIMIT_TIMEOUT, OUTCOME_CRASHED, "Resque::DirtyExit",
         NULL, "without reporting"}, /* its time was not up */
        {REPORT_NONE, 0, EXITED(1), KILL_NONE, LIMIT_NONE, OUTCOME_CRASHED, "Resque::DirtyExit",
         NULL, "without reporting"},
        {REPORT_NONE, 0, KILLED(SIGSEGV), KILL_NONE, LIMIT_CPU, OUTCOME_CRASHED,
         "Resque::DirtyExit", NULL, "SIGSEGV"},
        {REPORT_NONE, 0, EXITED(1), KILL_CANCEL, LIMIT_CPU, OUTCOME_FAILED, "Resque::Cancelled",
         NULL, "cancelled"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct report report = {.kind = rows[i].reported,
                                      .exit_code = rows[i].exit_code,
                                      .result = "1",
                                      .result_len = 1,
                                      .failure.exception = "E",
                                      .failure.message = "m",
                                      .failure.trace = ""};
        const struct death death = {.report = &report,
                                    .started = true,
                                    .policy.requeue = -1,
                                    .wait_status = rows[i].status,
                                    .reason = rows[i].reason,
                                    .seconds = 5,
                                    .raised = rows[i].raised};
        struct outcome outcome = reach(&death, 0);
        assert_int_equal(outcome.kind, rows[i].kind);
        if (rows[i].exception) {
            assert_string_equal(outcome.exception, rows[i].exception);
            assert_non_null(strstr(outcome.error, rows[i].error));
        }
        if (rows[i].limit)
            assert_string_equal(outcome.limit, rows[i].limit);
        else
            assert_null(outcome.limit);
        outcome_clear(&outcome);
    }
}

/* --- deaths before the start --- */

static void the_third_death_before_the_start_is_a_failure(void **state)
{
    const struct report report = {0};
    const struct death death = {.report = &report, .wait_status = KILLED(SIGKILL)};
    (void)state;
    for (int unstarted = 1; unstarted <= 3; unstarted++) {
        struct outcome outcome = reach(&death, unstarted);
        assert_int_equal(outcome.kind, unstarted < 3 ? OUTCOME_PUT_BACK : OUTCOME_FAILED);
        outcome_clear(&outcome);
    }
}

/* --- a cancel --- */

static void cancels_what_it_ended(void **state)
{
    static const struct {
        enum report_kind reported;
        const char *exception;
        bool started, cancelled;
    } rows[] = {
        {REPORT_DONE, NULL, true, false},
        {REPORT_FAILED, "LuaError", true, false},
        {REPORT_FAILED, "Resque::TermException", true, true},
        {REPORT_NONE, NULL, true, true},
        {REPORT_NONE, NULL, false, true},
        {REPORT_LOAD, NULL, false, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct report report = {.kind = rows[i].reported,
                                      .on_failure = true,
                                      .result = "1",
                                      .result_len = 1,
                                      .failure.exception = rows[i].exception,
                                      .failure.message = "why",
                                      .failure.trace = ""};
        const struct death death = {.report = &report,
                                    .started = rows[i].started,
                                    .policy.requeue = -1,
                                    .wait_status = KILLED(SIGKILL),
                                    .reason = KILL_CANCEL};
        struct outcome outcome = reach(&death, 1);
        assert_int_equal(outcome.kind,
                         rows[i].reported == REPORT_DONE ? OUTCOME_DONE : OUTCOME_FAILED);
        if (rows[i].cancelled) {
            assert_string_equal(outcome.exception, "Resque::Cancelled");
            assert_int_equal(strstr(outcome.error, "before it started") == NULL, rows[i].started);
            assert_false(outcome.dirty);
            assert_true(outcome.tell);
        } else if (outcome.kind == OUTCOME_FAILED) {
            assert_string_equal(outcome.error, "why");
        }
        outcome_clear(&outcome);
    }
}

static void cancels_what_has_no_process_yet(void **state)
{
    struct outcome outcome;
    (void)state;
    verdict_cancelled(&outcome);
    assert_int_equal(outcome.kind, OUTCOME_FAILED);
    assert_string_equal(outcome.exception, "Resque::Cancelled");
    assert_non_null(strstr(outcome.error, "before it started"));
    assert_false(outcome.tell);
    outcome_clear(&outcome);
}

/* --- crashes --- */

#define TERM "Resque::TermException"

static const struct end {
    const char *exception; /* that the job reported; NULL: it died without a word */
    int status;
    enum kill_reason reason;
    const char *reported_limit, *limit; /* by the job itself, in the end */
    bool crash;
} ends[] = {
    {NULL, KILLED(SIGKILL), KILL_NONE, NULL, NULL, true},
    {NULL, KILLED(SIGSEGV | 0x80), KILL_NONE, NULL, NULL, true},
    {NULL, EXITED(3), KILL_NONE, NULL, NULL, true},
    {NULL, EXITED(0), KILL_NONE, NULL, NULL, false},
    {NULL, KILLED(SIGKILL), KILL_TERM, NULL, NULL, true},
    {NULL, KILLED(SIGKILL), KILL_INT, NULL, NULL, true},
    {NULL, KILLED(SIGKILL), KILL_LEFT_OVER, NULL, NULL, true},
    {NULL, KILLED(SIGKILL), KILL_USR1, NULL, NULL, false},
    {NULL, KILLED(SIGKILL), KILL_UNWATCHED, NULL, NULL, false},
    {NULL, KILLED(SIGTERM), KILL_TIMEOUT, NULL, "timeout", false},
    {NULL, KILLED(SIGXCPU), KILL_CPU, NULL, "cpu", false},
    {NULL, KILLED(SIGKILL), KILL_CANCEL, NULL, NULL, false},
    {TERM, EXITED(0), KILL_TERM, NULL, NULL, true},
    {TERM, EXITED(0), KILL_NONE, NULL, NULL, true}, /* all of its control group got TERM */
    {TERM, EXITED(0), KILL_USR1, NULL, NULL, false},
    {"LuaError", EXITED(0), KILL_NONE, NULL, NULL, false},
    {"LuaError", KILLED(SIGSEGV), KILL_NONE, NULL, NULL, false},
    {"Resque::MemoryLimit", EXITED(0), KILL_NONE, "memory", "memory", false},
};

/* Whether that end of a job is a crash, by its table's policy or, where that says nothing (-1), by
 * the worker's. */
static bool crashes(const struct end *end, int own, int workers)
{
    const struct report report = {.kind = end->exception ? REPORT_FAILED : REPORT_NONE,
                                  .failure.exception = end->exception,
                                  .failure.message = "m",
                                  .failure.trace = "",
                                  .failure.limit = end->reported_limit};
    const struct death death = {.report = &report,
                                .started = true,
                                .policy.requeue = own,
                                .wait_status = end->status,
                                .reason = end->reason};
    const struct options options = {.fleet.requeue = workers};
    struct outcome outcome;
    verdict_reach(&outcome, &death, 0, &options);
    bool crash = outcome.kind == OUTCOME_CRASHED;
    assert_true(crash || outcome.kind == OUTCOME_FAILED);
    if (crash)
        assert_int_equal(outcome.requeue, own >= 0 ? own : workers);
    if (end->limit)
        assert_string_equal(outcome.limit, end->limit);
    else
        assert_null(outcome.limit);
    outcome_clear(&outcome);
    return crash;
}

static void knows_which_ends_are_crashes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        if (crashes(&ends[i], -1, 3) != ends[i].crash)
            fail_msg("row %zu", i);
        assert_false(crashes(&ends[i], -1, 0));
    }
}

static void lets_the_table_beat_the_worker(void **state)
{
    (void)state;
    assert_true(crashes(&ends[0], 2, 0));
    assert_true(crashes(&ends[0], 2, 5));
    assert_false(crashes(&ends[0], 0, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_by_report_and_status),
        cmocka_unit_test(says_whose_failure_it_was),
        cmocka_unit_test(hears_of_a_limit_that_became_an_exit),
        cmocka_unit_test(the_third_death_before_the_start_is_a_failure),
        cmocka_unit_test(cancels_what_it_ended),
        cmocka_unit_test(cancels_what_has_no_process_yet),
        cmocka_unit_test(knows_which_ends_are_crashes),
        cmocka_unit_test(lets_the_table_beat_the_worker),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
