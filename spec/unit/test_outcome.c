/* needs: outcome.c memory.c signals.c */
/* test_outcome.c - the decision table: what was reported × how the process ended. */
#include "outcome.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define EXITED(code) ((code) << 8)
#define KILLED(signo) (signo)

static void decides_by_report_and_status(void **state)
{
    static const struct {
        enum report_end end;
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
                                      .end = rows[i].end,
                                      .exit_code = rows[i].exit_code,
                                      .result = "[1]",
                                      .result_len = 3,
                                      .exception = "E",
                                      .message = "m",
                                      .trace = "a\n"};
        struct outcome o;
        outcome_decide(&o, &report, rows[i].status, rows[i].killed_for);
        assert_int_equal(o.kind, rows[i].kind);
        if (rows[i].exception) {
            assert_string_equal(o.exception, rows[i].exception);
            assert_string_equal(o.error, rows[i].error);
        } else {
            assert_string_equal(o.result, rows[i].end == REPORT_EXIT ? "null" : "[1]");
        }
        outcome_clear(&o);
    }
}

/* Only a death without a word is dirty: what the job told itself has run onFailure already. */
static void says_whose_failure_it_was(void **state)
{
    const struct report told = {
        .started = true, .end = REPORT_FAILED, .exception = "E", .message = "m", .trace = ""};
    const struct report silent = {.started = true};
    struct outcome o;
    (void)state;
    outcome_decide(&o, &told, EXITED(0), NULL);
    assert_false(o.dirty);
    outcome_clear(&o);
    outcome_decide(&o, &silent, KILLED(SIGKILL), NULL);
    assert_true(o.dirty);
    outcome_clear(&o);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_by_report_and_status),
        cmocka_unit_test(says_whose_failure_it_was),
        cmocka_unit_test(a_copy_is_whole_and_its_own),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
