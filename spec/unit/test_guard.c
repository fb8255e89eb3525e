/* needs: os/guard.c base/log.c base/text.c base/clock.c */
/* test_guard.c - a process that does not come to an end is ended, whatever its scripts do with
 * alarm(2). */
#include "os/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* How a process ends that runs `scripts`, in wait's terms. */
static int ending_of(void (*scripts)(void))
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        scripts();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void wait_for_ever(void)
{
    for (;;)
        pause();
}

static void take_the_alarm_away(void)
{
    guard_begin(0.05);
    signal(SIGALRM, SIG_IGN);
    alarm(0);
    wait_for_ever();
}

static void ask_for_an_alarm(void)
{
    guard_begin(60);
    alarm(1);
    wait_for_ever();
}

/* Twice: there is one at a time. */
static void come_to_an_end(void)
{
    for (int i = 0; i < 2; i++) {
        guard_begin(0.01);
        guard_end();
    }
    usleep(50000); /* five times as long as it would have taken */
}

static void leave_an_alarm_behind(void)
{
    guard_begin(60);
    alarm(100);
    guard_end();
    _exit(alarm(0) == 0 ? 7 : 1);
}

static void ends_what_has_no_end(void **state)
{
    (void)state;
    int status = ending_of(take_the_alarm_away);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), GUARD_SIGNAL);
}

static void leaves_alarms_to_the_scripts(void **state)
{
    (void)state;
    int status = ending_of(ask_for_an_alarm);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGALRM);
}

static void ends_nothing_later(void **state)
{
    (void)state;
    assert_int_equal(ending_of(come_to_an_end), 0);
    assert_int_equal(WEXITSTATUS(ending_of(leave_an_alarm_behind)), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_what_has_no_end),
        cmocka_unit_test(leaves_alarms_to_the_scripts),
        cmocka_unit_test(ends_nothing_later),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
