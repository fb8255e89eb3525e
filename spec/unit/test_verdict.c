/* needs: worker/verdict.c job/outcome.c worker/unstarted.c worker/cancel.c worker/crash.c */
/* needs: worker/wishes.c os/folder.c os/insist.c os/events.c base/clock.c base/log.c base/text.c */
/* needs: base/memory.c os/signals.c job/limit.c base/plain.c job/raised.c */
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

#include "job/limit.h"
#include "worker/cancel.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define EXITED(code) ((code) << 8)
#define KILLED(signo) (signo)

static void decides_by_report_and_status(void **state)
{
    static const struct {
        enum report_kind reported;
        bool started;
        int exit_code, status;
        const char *killed_for;
        enum outcome_kind kind;
        const char *exception, *error;
    } rows[] = {
        {REPORT_DONE, true, 0, EXITED(0), NULL, OUTCOME_DONE, NULL, NULL},
        {REPORT_DONE, true, 0, KILLED(SIGKILL), NULL, OUTCOME_DONE, NULL, NULL},
        {REPORT_DONE, true, 0, KILLED(SIGKILL), "SIGTERM", OUTCOME_DONE, NULL, NULL},
        {REPORT_FAILED, true, 0, EXITED(0), NULL, OUTCOME_FAILED, "E", "m"},
        {REPORT_FAILED, true, 0, KILLED(SIGSEGV), NULL, OUTCOME_FAILED, "E", "m"},
        {REPORT_EXIT, true, 0, EXITED(0), NULL, OUTCOME_DONE, NULL, NULL},
        {REPORT_EXIT, true, 3, EXITED(3), NULL, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 3"},
        {REPORT_EXIT, true, 3, EXITED(3), "SIGTERM", OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 3"},
        {REPORT_EXIT, false, 0, EXITED(0), NULL, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "APP_INCLUDE called os.exit(0) before the job started"},
        {REPORT_EXIT, false, 3, EXITED(3), NULL, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "APP_INCLUDE called os.exit(3) before the job started"},
        {REPORT_LOAD, false, 0, EXITED(0), NULL, OUTCOME_PUT_BACK, "Resque::DirtyExit", "m"},
        {REPORT_LOAD, true, 0, EXITED(0), NULL, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job ended, but its process could not tell how: m"},
        {REPORT_NONE, true, 0, KILLED(SIGKILL), NULL, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job killed by signal 9 (SIGKILL)"},
        {REPORT_NONE, true, 0, KILLED(SIGKILL), "SIGUSR1", OUTCOME_FAILED, "Resque::DirtyExit",
         "Job killed by signal 9 (SIGKILL), by its worker for SIGUSR1"},
        {REPORT_NONE, true, 0, KILLED(SIGSEGV | 0x80), NULL, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job killed by signal 11 (SIGSEGV)"},
        {REPORT_NONE, true, 0, EXITED(0), NULL, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 0 without reporting a result"},
        {REPORT_NONE, true, 0, EXITED(5), NULL, OUTCOME_FAILED, "Resque::DirtyExit",
         "Job exited with exit code 5 without reporting a result"},
        {REPORT_NONE, false, 0, KILLED(SIGKILL), NULL, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "its process was killed by signal 9 (SIGKILL) before the job started"},
        {REPORT_NONE, false, 0, EXITED(1), NULL, OUTCOME_PUT_BACK, "Resque::DirtyExit",
         "its process exited with exit code 1 before the job started"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct report report = {.started = rows[i].started,
                                      .kind = rows[i].reported,
                                      .exit_code = rows[i].exit_code,
                                      .result = "[1]",
                                      .result_len = 3,
                                      .exception = "E",
                                      .message = "m",
                                      .trace = "a\n"};
        struct outcome o;
        verdict_by_table(&o, &report, rows[i].status, rows[i].killed_for);
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
    const struct report told = {
        .started = true, .kind = REPORT_FAILED, .exception = "E", .message = "m", .trace = ""};
    const struct report silent = {.started = true};
    struct outcome o;
    (void)state;
    verdict_by_table(&o, &told, EXITED(0), NULL);
    assert_false(o.dirty);
    outcome_clear(&o);
    verdict_by_table(&o, &silent, KILLED(SIGKILL), NULL);
    assert_true(o.dirty);
    outcome_clear(&o);
}

#define TOKEN "0123456789abcdef:12"

/* A child whose report is `report`, judged for a worker with ON_CRASH=requeue:3. */
static struct outcome reach(struct child *child, const char *begun, struct unstarted *unstarted)
{
    const struct job job = {.token = TOKEN, .id = (char[]){"a"}, .class = (char[]){"A"}};
    const struct options options = {.requeue = 3, .job_cpu = 2};
    struct board_slot slot = {0};
    struct outcome outcome;
    snprintf(slot.started_token, sizeof slot.started_token, "%s", begun);
    verdict_reach(&outcome, child, &job, &slot, unstarted, &options);
    return outcome;
}

static void hears_the_board_where_the_pipe_is_broken(void **state)
{
    static const struct {
        bool broken;
        const char *begun;
        enum outcome_kind kind;
    } rows[] = {{true, TOKEN, OUTCOME_CRASHED},
                {true, "0123456789abcdef:11", OUTCOME_PUT_BACK},
                {false, TOKEN, OUTCOME_PUT_BACK}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct child child = {.report.broken = rows[i].broken, .wait_status = KILLED(SIGKILL)};
        struct unstarted unstarted = {0};
        struct outcome outcome = reach(&child, rows[i].begun, &unstarted);
        assert_int_equal(outcome.kind, rows[i].kind);
        if (outcome.kind == OUTCOME_CRASHED)
            assert_int_equal(outcome.requeue, 3);
        outcome_clear(&outcome);
    }
}

static void keeps_a_policy_that_was_read_before_the_pipe_broke(void **state)
{
    struct child child = {.report = {.broken = true, .started = true, .policy.requeue = 0},
                          .wait_status = KILLED(SIGKILL)};
    struct unstarted unstarted = {0};
    struct outcome outcome = reach(&child, TOKEN, &unstarted);
    (void)state;
    assert_int_equal(outcome.kind, OUTCOME_FAILED);
    outcome_clear(&outcome);
}

static void names_the_limit_and_forgives_nothing(void **state)
{
    static const struct {
        int status;
        const char *killed_for;
        bool timed_out;
        int64_t cpu_ms;
        const char *limit, *error;
    } rows[] = {
        {KILLED(SIGXCPU), NULL, false, 4000, "cpu", "for its CPU limit of 2 s"},
        {KILLED(SIGKILL), "its time limit of 1 s", true, 0, "timeout", "its time limit of 1 s"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct child child = {.report = {.started = true, .policy.requeue = -1},
                              .wait_status = rows[i].status,
                              .killed_for = rows[i].killed_for,
                              .usage = {.known = true, .cpu_ms = rows[i].cpu_ms},
                              .timed_out = rows[i].timed_out};
        struct unstarted unstarted = {0};
        struct outcome outcome = reach(&child, TOKEN, &unstarted);
        assert_int_equal(outcome.kind, OUTCOME_FAILED);
        assert_string_equal(outcome.limit, rows[i].limit);
        assert_non_null(strstr(outcome.error, rows[i].error));
        outcome_clear(&outcome);
    }
}

/* The job ran from 1000 to 11000; RESQUE_TERM_TIMEOUT is 4 s. */
static void hears_of_a_limit_that_became_an_exit(void **state)
{
    static const struct {
        enum report_kind reported;
        int exit_code, status;
        const char *killed_for;
        long long at; /* when the error was raised */
        enum limit raised;
        bool timed_out;
        enum outcome_kind kind;
        const char *exception, *limit, *error;
    } rows[] = {
        {REPORT_NONE, 0, EXITED(255), NULL, 10990, LIMIT_CPU, false, OUTCOME_FAILED,
         "Resque::CpuLimit", "cpu",
         "used more than 2 s of CPU time (cpu); its process then exited with exit code 255"},
        {REPORT_NONE, 0, EXITED(1), NULL, 7000, LIMIT_MEMORY, false, OUTCOME_FAILED,
         "Resque::MemoryLimit", "memory",
         "not enough memory (limit 16 MB); its process then exited with exit code 1"},
        {REPORT_NONE, 0, EXITED(0), "its time limit of 5 s", 6500, LIMIT_TIMEOUT, true,
         OUTCOME_FAILED, "Resque::DirtyExit", "timeout", "its time limit of 5 s"},
        {REPORT_NONE, 0, EXITED(0), "its time limit of 5 s", 7000, LIMIT_TIMEOUT, true,
         OUTCOME_FAILED, "Resque::Timeout", "timeout",
         "took longer than 5 s (timeout); its process then exited with exit code 0"},
        {REPORT_NONE, 0, EXITED(0), NULL, 11000, LIMIT_CPU, false, OUTCOME_FAILED,
         "Resque::CpuLimit", "cpu", "exit code 0"},
        {REPORT_EXIT, 3, EXITED(3), NULL, 10000, LIMIT_CPU, false, OUTCOME_FAILED,
         "Resque::CpuLimit", "cpu", "then exited with exit code 3"},
        {REPORT_NONE, 0, EXITED(1), "SIGTERM", 10000, LIMIT_CPU, false, OUTCOME_FAILED,
         "Resque::CpuLimit", "cpu", "used more than"},
        {REPORT_EXIT, 0, EXITED(0), NULL, 10000, LIMIT_CPU, false, OUTCOME_DONE, NULL, NULL, NULL},
        {REPORT_DONE, 0, EXITED(0), NULL, 10000, LIMIT_CPU, false, OUTCOME_DONE, NULL, NULL, NULL},
        {REPORT_FAILED, 0, EXITED(0), NULL, 10000, LIMIT_CPU, false, OUTCOME_FAILED, "E", NULL,
         "m"},
        /* no such note */
        {REPORT_NONE, 0, EXITED(1), NULL, 6999, LIMIT_CPU, false, OUTCOME_CRASHED,
         "Resque::DirtyExit", NULL, "without reporting"},
        {REPORT_NONE, 0, EXITED(1), NULL, 999, LIMIT_CPU, false, OUTCOME_CRASHED,
         "Resque::DirtyExit", NULL, "without reporting"},
        {REPORT_NONE, 0, EXITED(1), NULL, 11001, LIMIT_CPU, false, OUTCOME_CRASHED,
         "Resque::DirtyExit", NULL, "without reporting"},
        {REPORT_NONE, 0, EXITED(1), NULL, 10000, LIMIT_TIMEOUT, false, OUTCOME_CRASHED,
         "Resque::DirtyExit", NULL, "without reporting"},
        {REPORT_NONE, 0, EXITED(1), NULL, 10000, LIMIT_NONE, false, OUTCOME_CRASHED,
         "Resque::DirtyExit", NULL, "without reporting"},
        {REPORT_NONE, 0, KILLED(SIGSEGV), NULL, 10990, LIMIT_CPU, false, OUTCOME_CRASHED,
         "Resque::DirtyExit", NULL, "SIGSEGV"},
        {REPORT_NONE, 0, EXITED(1), cancel_reason, 10990, LIMIT_CPU, false, OUTCOME_FAILED,
         "Resque::Cancelled", NULL, "cancelled"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct job job = {.token = TOKEN, .id = (char[]){"a"}, .class = (char[]){"A"}};
        const struct options options = {
            .requeue = 3, .job_cpu = 2, .job_memory = 16 << 20, .term_timeout = 4};
        struct board_slot slot = {.raised = rows[i].at * LIMIT_COUNT + rows[i].raised};
        struct child child = {.report = {.started = true,
                                         .policy.requeue = -1,
                                         .kind = rows[i].reported,
                                         .exit_code = rows[i].exit_code,
                                         .result = "1",
                                         .result_len = 1,
                                         .exception = "E",
                                         .message = "m",
                                         .trace = ""},
                              .started_at = 1000,
                              .usage = {.known = true, .wall_ms = 10000},
                              .deadline.seconds = 5,
                              .wait_status = rows[i].status,
                              .killed_for = rows[i].killed_for,
                              .timed_out = rows[i].timed_out};
        struct unstarted unstarted = {0};
        struct outcome outcome;
        verdict_reach(&outcome, &child, &job, &slot, &unstarted, &options);
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

/* Somebody sent it the signal that the kernel sends at the limit. */
static void a_signal_alone_is_no_limit(void **state)
{
    struct child child = {.report = {.started = true, .policy.requeue = -1},
                          .wait_status = KILLED(SIGXCPU),
                          .usage = {.known = true, .cpu_ms = 30}};
    struct unstarted unstarted = {0};
    struct outcome outcome = reach(&child, TOKEN, &unstarted);
    (void)state;
    assert_null(outcome.limit);
    assert_string_equal(outcome.error, "Job killed by signal 24 (SIGXCPU)");
    outcome_clear(&outcome);
}

static void a_cancel_ends_a_job_that_never_started(void **state)
{
    struct child child = {.wait_status = KILLED(SIGKILL), .killed_for = cancel_reason};
    struct unstarted unstarted = {0};
    struct outcome outcome = reach(&child, "", &unstarted);
    (void)state;
    assert_int_equal(outcome.kind, OUTCOME_FAILED);
    assert_string_equal(outcome.exception, "Resque::Cancelled");
    outcome_clear(&outcome);
}

static void the_third_death_before_the_start_is_a_failure(void **state)
{
    struct unstarted unstarted = {0};
    (void)state;
    for (int death = 1; death <= 3; death++) {
        struct child child = {.wait_status = KILLED(SIGKILL)};
        struct outcome outcome = reach(&child, "", &unstarted);
        assert_int_equal(outcome.kind, death < 3 ? OUTCOME_PUT_BACK : OUTCOME_FAILED);
        outcome_clear(&outcome);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_by_report_and_status),
        cmocka_unit_test(says_whose_failure_it_was),
        cmocka_unit_test(hears_the_board_where_the_pipe_is_broken),
        cmocka_unit_test(keeps_a_policy_that_was_read_before_the_pipe_broke),
        cmocka_unit_test(names_the_limit_and_forgives_nothing),
        cmocka_unit_test(hears_of_a_limit_that_became_an_exit),
        cmocka_unit_test(a_signal_alone_is_no_limit),
        cmocka_unit_test(a_cancel_ends_a_job_that_never_started),
        cmocka_unit_test(the_third_death_before_the_start_is_a_failure),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
