/* needs: worker/ladder.c worker/kill_reason.c base/clock.c base/plain.c job/limit.c */
/* test_ladder.c - the steps by which a job's process is ended, on real processes. */
#include "worker/ladder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "job/board.h"
#include "os/events.h"

static atomic_int told;
static const struct options plain = {.stop.term_timeout = 4, .stop.pre_shutdown_timeout = 1000},
                            term_child = {.stop = {.term_timeout = 4,
                                                   .pre_shutdown_timeout = 1000,
                                                   .term_child = true}};

/* A process with a group of its own, that is not ended by what the worker tells it. */
static pid_t process(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60); /* nothing here takes long */
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    setpgid(pid, pid);
    return pid;
}

static int ended_by(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return WTERMSIG(status);
}

static int setup(void **state)
{
    (void)state;
    signal(EVENTS_BOARD, SIG_IGN); /* what is forked inherits that */
    atomic_store(&told, BOARD_END);
    return 0;
}

static void kills_at_once(void **state)
{
    struct ladder l;
    pid_t pid = process();
    (void)state;
    ladder_init(&l, &told);
    assert_int_equal(told, BOARD_NOTHING);
    assert_int_equal(l.at, CLOCK_NEVER);
    ladder_begin(&l, &plain, KILL_USR1);
    assert_true(l.at <= clock_ms());
    ladder_begin(&l, &plain, KILL_TERM); /* the first one counts */
    assert_int_equal(l.reason, KILL_USR1);
    ladder_climb(&l, pid);
    assert_int_equal(ended_by(pid), SIGKILL);
    assert_int_equal(l.at, CLOCK_NEVER);
    assert_int_equal(told, BOARD_NOTHING);
}

static void sends_term_first(void **state)
{
    struct ladder l;
    pid_t pid = process();
    (void)state;
    ladder_init(&l, &told);
    ladder_begin(&l, &term_child, KILL_TERM);
    assert_true(l.at > clock_ms());
    ladder_climb(&l, pid);
    assert_int_equal(told, BOARD_TERM);
    assert_int_equal(ended_by(pid), SIGTERM);
    assert_int_equal(l.step, LADDER_KILL_NEXT);
    assert_true(l.at > clock_ms() && l.at < CLOCK_NEVER);
}

static void a_time_limit_asks_first(void **state)
{
    struct ladder l;
    pid_t pid = process();
    (void)state;
    ladder_init(&l, &told);
    ladder_time_is_up(&l, &plain, pid);
    assert_int_equal(told, BOARD_TIMEOUT);
    assert_int_equal(l.reason, KILL_TIMEOUT);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    assert_true(l.at > clock_ms());
    ladder_climb(&l, pid);
    assert_int_equal(told, BOARD_END);
    assert_int_equal(ended_by(pid), SIGTERM);
}

/* A worker that is to leave does not wait for a job's grace, and the limit stays the reason. */
static void a_stop_cuts_short_the_grace_of_a_limit(void **state)
{
    struct ladder l;
    pid_t pid = process();
    (void)state;
    ladder_init(&l, &told);
    ladder_time_is_up(&l, &plain, pid);
    ladder_begin(&l, &plain, KILL_TERM);
    assert_int_equal(l.reason, KILL_TIMEOUT);
    assert_true(l.at <= clock_ms());
    ladder_climb(&l, pid);
    assert_int_equal(ended_by(pid), SIGKILL);
}

static void a_limit_comes_too_late_for_what_is_being_ended(void **state)
{
    struct ladder l;
    (void)state;
    ladder_init(&l, &told);
    ladder_begin(&l, &term_child, KILL_CANCEL);
    ladder_time_is_up(&l, &term_child, getpid());
    assert_int_equal(l.reason, KILL_CANCEL);
    assert_int_equal(told, BOARD_NOTHING);
}

static void hurries_only_towards_a_kill(void **state)
{
    struct ladder l;
    (void)state;
    ladder_init(&l, &told);
    ladder_hurry(&l);
    assert_int_equal(l.at, CLOCK_NEVER);
    ladder_kill_after(&l, 1000);
    assert_true(l.at > clock_ms());
    ladder_hurry(&l);
    assert_int_equal(l.at, 0);
}

/* --- reasons --- */

static void says_its_reason(void **state)
{
    char text[KILL_REASON_TEXT];
    (void)state;
    assert_null(kill_reason_say(text, KILL_NONE, 0));
    assert_string_equal(kill_reason_say(text, KILL_USR1, 0), "SIGUSR1");
    assert_string_equal(kill_reason_say(text, KILL_TIMEOUT, 0.5), "its time limit of 0.5 s");
    assert_string_equal(kill_reason_say(text, KILL_CPU, 30), "its CPU limit of 30 s");
    for (int why = KILL_NONE + 1; why < KILL_REASONS; why++)
        assert_non_null(kill_reason_say(text, (enum kill_reason)why, 1e300));
}

static void knows_who_leaves(void **state)
{
    (void)state;
    for (int why = 0; why < KILL_REASONS; why++)
        assert_int_equal(kill_reason_is_leave((enum kill_reason)why),
                         why == KILL_TERM || why == KILL_INT || why == KILL_LEFT_OVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kills_at_once, setup),
        cmocka_unit_test_setup(sends_term_first, setup),
        cmocka_unit_test_setup(a_time_limit_asks_first, setup),
        cmocka_unit_test_setup(a_stop_cuts_short_the_grace_of_a_limit, setup),
        cmocka_unit_test_setup(a_limit_comes_too_late_for_what_is_being_ended, setup),
        cmocka_unit_test_setup(hurries_only_towards_a_kill, setup),
        cmocka_unit_test(says_its_reason),
        cmocka_unit_test(knows_who_leaves),
    };
    return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
