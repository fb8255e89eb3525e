/* needs: os/events.c base/clock.c os/descriptors.c base/memory.c */
/* test_events.c - signals are kept until taken, slots are told apart, deadlines hold. */
#include "os/events.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

static void keeps_signals_until_they_are_taken(void **state)
{
    struct events ev;
    (void)state;
    assert_int_equal(events_open(&ev, NULL, false), 0);
    raise(SIGUSR1);
    raise(SIGTERM);
    assert_true(events_wait(&ev, 0, clock_after(5)) & EVENTS_BIT(EVENTS_SIGNAL));
    assert_int_equal(events_deadline(&ev, CLOCK_NEVER), 0);
    assert_true(events_pending(&ev, SIGUSR1));
    assert_true(events_take(&ev, SIGUSR1));
    assert_false(events_take(&ev, SIGUSR1));
    assert_true(events_take(&ev, SIGTERM));
    raise(EVENTS_BOARD);
    assert_true(events_wait(&ev, 0, clock_after(5)) & EVENTS_BIT(EVENTS_SIGNAL));
    assert_true(events_take(&ev, EVENTS_BOARD));
    assert_true(events_deadline(&ev, CLOCK_NEVER) == CLOCK_NEVER);
    events_close(&ev);
}

static pid_t send_from_child(int signo)
{
    pid_t pid = fork();
    if (pid == 0) {
        kill(getppid(), signo);
        _exit(0);
    }
    return pid;
}

static void tells_the_manager_from_others(void **state)
{
    struct events ev;
    (void)state;
    assert_int_equal(events_open(&ev, NULL, false), 0);
    assert_int_equal(events_take(&ev, SIGTERM), 0);
    waitpid(send_from_child(SIGTERM), NULL, 0);
    events_wait(&ev, 0, clock_after(5));
    assert_int_equal(events_take(&ev, SIGTERM), EVENTS_OTHERS);
    ev.manager = getpid();
    raise(SIGTERM);
    events_wait(&ev, 0, clock_after(5));
    assert_true(events_pending(&ev, SIGTERM));
    assert_int_equal(events_deadline(&ev, CLOCK_NEVER), 0);
    waitpid(send_from_child(SIGTERM), NULL, 0);
    events_wait(&ev, 0, clock_after(5));
    assert_int_equal(events_take(&ev, SIGTERM), EVENTS_OTHERS | EVENTS_MANAGER);
    assert_true(events_deadline(&ev, CLOCK_NEVER) == CLOCK_NEVER);
    events_close(&ev);
}

static void reports_the_slots_that_are_asked_for(void **state)
{
    struct events ev;
    int ends[2];
    (void)state;
    events_init_plain(&ev);
    assert_int_equal(pipe(ends), 0);
    events_watch(&ev, EVENTS_REPORT, ends[0], POLLIN);
    assert_true(events_watches(&ev, EVENTS_REPORT));
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(events_wait(&ev, EVENTS_BIT(EVENTS_CHILD), 0), 0);
    assert_int_equal(events_wait(&ev, EVENTS_BIT(EVENTS_REPORT), clock_after(5)),
                     EVENTS_BIT(EVENTS_REPORT));
    events_unwatch(&ev, EVENTS_REPORT);
    assert_false(events_watches(&ev, EVENTS_REPORT));
    assert_int_equal(events_wait(&ev, EVENTS_BIT(EVENTS_REPORT), 0), 0);
    events_watch(&ev, EVENTS_REPORT, ends[1], POLLOUT);
    assert_int_equal(events_wait(&ev, EVENTS_BIT(EVENTS_REPORT), clock_after(5)),
                     EVENTS_BIT(EVENTS_REPORT));
    close(ends[0]);
    close(ends[1]);
}

static void ends_at_the_deadline_and_not_before(void **state)
{
    struct events ev;
    (void)state;
    events_init_plain(&ev);
    int64_t before = clock_ms();
    assert_int_equal(events_wait(&ev, 0, clock_after(0.03)), 0);
    assert_true(clock_ms() - before >= 30);
}

/* A program that is started with SIGCHLD ignored cannot wait for its children. */
static void can_wait_for_children_whoever_started_us(void **state)
{
    struct events ev;
    int status = 0;
    (void)state;
    signal(SIGCHLD, SIG_IGN);
    assert_int_equal(events_open(&ev, NULL, true), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 7);
    events_close(&ev);
}

/* A worker gets the manager's mask, in which everything is blocked already: jobs get the user's. */
static void remembers_whose_mask_jobs_get(void **state)
{
    struct events manager, worker;
    (void)state;
    sigset_t users;
    sigemptyset(&users);
    sigaddset(&users, SIGWINCH);
    sigprocmask(SIG_SETMASK, &users, NULL);
    assert_int_equal(events_open(&manager, NULL, true), 0);
    assert_int_equal(events_open(&worker, &manager.original_mask, false), 0);
    assert_true(sigismember(&worker.original_mask, SIGWINCH));
    assert_false(sigismember(&worker.original_mask, SIGTERM));
    events_close(&manager);
    events_close(&worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_signals_until_they_are_taken),
        cmocka_unit_test(tells_the_manager_from_others),
        cmocka_unit_test(reports_the_slots_that_are_asked_for),
        cmocka_unit_test(ends_at_the_deadline_and_not_before),
        cmocka_unit_test(can_wait_for_children_whoever_started_us),
        cmocka_unit_test(remembers_whose_mask_jobs_get),
    };
    return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
