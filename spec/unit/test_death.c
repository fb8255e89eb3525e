/* needs: worker/death.c job/board.c job/raised.c job/limit.c base/clock.c base/plain.c */
/* test_death.c - what is known of a job's process that has ended: from its report, the board, and
 * the kernel. */
#include "worker/death.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "job/board.h"
#include "job/job.h"
#include "worker/child.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define EXITED(code) ((code) << 8)
#define KILLED(signo) (signo)
#define TOKEN "0123456789abcdef:12"

static const struct job job = {.token = TOKEN};

static struct death account(const struct child *child, const char *begun)
{
    const struct options options = {.limits.cpu = 2, .stop.term_timeout = 4};
    struct board_slot slot = {0};
    struct death death;
    snprintf(slot.started_token, sizeof slot.started_token, "%s", begun);
    death_account(&death, child, &job, &slot, &options);
    return death;
}

/* --- the board --- */

static void hears_the_board_where_the_pipe_is_broken(void **state)
{
    static const struct {
        bool broken;
        const char *begun;
        bool started;
    } rows[] = {{true, TOKEN, true},
                {true, "0123456789abcdef:11", false},
                {true, "0123456789abcdef:1", false},
                {true, "0123456789abcdef:123", false},
                {false, TOKEN, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct child child = {.report.broken = rows[i].broken,
                                    .wait_status = KILLED(SIGKILL)};
        const struct death death = account(&child, rows[i].begun);
        assert_int_equal(death.started, rows[i].started);
        if (death.started)
            assert_int_equal(death.policy.requeue, -1);
    }
}

static void keeps_a_policy_that_was_read_before_the_pipe_broke(void **state)
{
    const struct child child = {.report = {.broken = true, .started = true, .policy.requeue = 0},
                                .wait_status = KILLED(SIGKILL)};
    (void)state;
    assert_int_equal(account(&child, TOKEN).policy.requeue, 0);
}

/* Whoever writes a cancel may be in the middle of it. */
static void a_cancel_means_one_token(void **state)
{
    static const struct {
        const char *written;
        bool wanted;
    } rows[] = {{TOKEN, true},
                {"0123456789abcdef:1", false},
                {"0123456789abcdef:123", false},
                {"1123456789abcdef:12", false},
                {"0123456789abc", false},
                {"", false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board_slot slot = {0};
        snprintf(slot.cancel, sizeof slot.cancel, "%s", rows[i].written);
        assert_int_equal(board_wants_cancel(&slot, TOKEN), rows[i].wanted);
    }
}

/* --- why it was ended --- */

/* SIGXCPU that somebody else sent is no limit; what meant this very job beats the limit. */
static void names_the_cpu_limit(void **state)
{
    static const struct {
        int status;
        int64_t cpu_ms;
        double own; /* the job table's limit */
        enum kill_reason reason, named;
        double seconds;
    } rows[] = {
        {KILLED(SIGXCPU), 2000, 0, KILL_NONE, KILL_CPU, 2},
        {KILLED(SIGXCPU), 1000, 0, KILL_NONE, KILL_CPU, 2},
        {KILLED(SIGXCPU), 999, 0, KILL_NONE, KILL_NONE, 7},
        {KILLED(SIGXCPU), 2000, 4.5, KILL_NONE, KILL_NONE, 7},
        {KILLED(SIGXCPU), 2500, 4.5, KILL_NONE, KILL_CPU, 5},
        {KILLED(SIGKILL), 2000, 0, KILL_NONE, KILL_NONE, 7},
        {EXITED(SIGXCPU), 2000, 0, KILL_NONE, KILL_NONE, 7},
        {KILLED(SIGXCPU), 2000, 0, KILL_TERM, KILL_CPU, 2},
        {KILLED(SIGXCPU), 2000, 0, KILL_CANCEL, KILL_CANCEL, 7},
        {KILLED(SIGXCPU), 2000, 0, KILL_TIMEOUT, KILL_TIMEOUT, 7},
        {KILLED(SIGKILL), 0, 0, KILL_USR1, KILL_USR1, 7},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct child child = {.report = {.started = true, .policy.cpu = rows[i].own},
                                    .wait_status = rows[i].status,
                                    .usage = {.known = true, .cpu_ms = rows[i].cpu_ms},
                                    .ladder.reason = rows[i].reason,
                                    .deadline.seconds = 7};
        const struct death death = account(&child, TOKEN);
        if (death.reason != rows[i].named || death.seconds != rows[i].seconds)
            fail_msg("row %zu: %d, %g s", i, (int)death.reason, death.seconds);
    }
}

/* The job ran from 1000 to 11000; RESQUE_TERM_TIMEOUT is 4 s. */
static void notes_the_limit_that_was_raised_lately(void **state)
{
    static const struct {
        long long at; /* when the error was raised */
        enum limit raised;
    } rows[] = {{10990, LIMIT_CPU}, {7000, LIMIT_CPU}, {11000, LIMIT_CPU},
                {6999, LIMIT_NONE}, {999, LIMIT_NONE}, {11001, LIMIT_NONE}};
    const struct options options = {.stop.term_timeout = 4};
    const struct child child = {.started_at = 1000, .usage = {.known = true, .wall_ms = 10000}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct board_slot slot = {.raised = rows[i].at * LIMIT_COUNT + LIMIT_CPU};
        struct death death;
        death_account(&death, &child, &job, &slot, &options);
        assert_int_equal(death.raised, rows[i].raised);
    }
}

/* --- early deaths --- */

static void knows_which_deaths_are_early(void **state)
{
    static const struct {
        bool started;
        enum report_kind reported;
        enum kill_reason reason;
        bool early;
    } rows[] = {{false, REPORT_NONE, KILL_NONE, true},      {false, REPORT_EXIT, KILL_NONE, true},
                {false, REPORT_NONE, KILL_TIMEOUT, true},   {true, REPORT_NONE, KILL_NONE, false},
                {false, REPORT_LOAD, KILL_NONE, false},     {false, REPORT_NONE, KILL_TERM, false},
                {false, REPORT_NONE, KILL_CANCEL, false},   {false, REPORT_NONE, KILL_USR1, false},
                {false, REPORT_NONE, KILL_UNWATCHED, false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct report report = {.kind = rows[i].reported};
        const struct death death = {
            .report = &report, .started = rows[i].started, .reason = rows[i].reason};
        assert_int_equal(death_was_early(&death), rows[i].early);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_the_board_where_the_pipe_is_broken),
        cmocka_unit_test(keeps_a_policy_that_was_read_before_the_pipe_broke),
        cmocka_unit_test(a_cancel_means_one_token),
        cmocka_unit_test(names_the_cpu_limit),
        cmocka_unit_test(notes_the_limit_that_was_raised_lately),
        cmocka_unit_test(knows_which_deaths_are_early),
    };
    return cmocka_run_group_tests_name("death", tests, NULL, NULL);
}
