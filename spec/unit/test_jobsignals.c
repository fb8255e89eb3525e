/* needs: child/jobsignals.c child/interrupt.c child/luathread.c child/luatrace.c */
/* needs: lua/lualib_sleep.c base/clock.c job/raised.c job/limit.c base/plain.c */
/* test_jobsignals.c - what signals do in a job's process, in the programs it executes and in the
 * processes that it forks. */
#include "child/jobsignals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "base/clock.h"
#include "child/interrupt.h"
#include "child/luathread.h"
#include "job/board.h"
#include "lua/lualib_sleep.h"
#include "os/events.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const int swallowed[] = {SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGTERM};
static atomic_int told;

/* How a process ends that does this, in wait's terms; 0: by returning. */
static int ending_of(void (*run)(int), int argument)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60); /* nothing here takes long */
        run(argument);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The worker's part and the job's. */
static void be_a_job(void)
{
    told = BOARD_NOTHING;
    jobsignals_prepare(&told);
    jobsignals_begin();
}

static void get_all(int times)
{
    be_a_job();
    for (int i = 0; i < times; i++)
        for (size_t s = 0; s < COUNT(swallowed); s++)
            raise(swallowed[s]);
    raise(EVENTS_BOARD);
    raise(SIGPIPE);
}

static void fork_and_get(int signo)
{
    int status;
    be_a_job();
    pid_t pid = fork();
    if (pid == 0) {
        raise(signo);
        for (int i = 0; i < 1000; i++) /* a tool such as valgrind may hand it on late */
            usleep(10000);
        _exit(77);
    }
    waitpid(pid, &status, 0);
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

static void execute_and_get(int signo)
{
    char number[16];
    be_a_job();
    snprintf(number, sizeof number, "-%d", signo);
    execlp("sh", "sh", "-c", "kill \"$1\" $$; exit 77", "sh", number, (char *)NULL);
}

static void a_job_is_not_ended_by_them(void **state)
{
    (void)state;
    assert_int_equal(ending_of(get_all, 3), 0);
}

static void what_it_forks_and_executes_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(swallowed); i++) {
        assert_int_equal(WEXITSTATUS(ending_of(fork_and_get, swallowed[i])), swallowed[i]);
        int status = ending_of(execute_and_get, swallowed[i]);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), swallowed[i]);
    }
}

static void get_while_ignored(int signo)
{
    struct sigaction now;
    signal(signo, SIG_IGN);
    be_a_job();
    sigaction(signo, NULL, &now);
    _exit(now.sa_handler == SIG_IGN);
}

/* nohup's word is for the programs of a job, too. */
static void what_was_ignored_stays_so(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(ending_of(get_while_ignored, SIGHUP)), 1);
    assert_int_equal(WEXITSTATUS(ending_of(get_while_ignored, SIGTERM)), 0);
}

/* --- what the worker says --- */

static void begin_lua(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    luathread_install(L);
    be_a_job();
}

/* Exits with 1 if that raised something. */
static void be_told(int what)
{
    begin_lua();
    raise(EVENTS_BOARD); /* nobody has told it anything */
    raise(SIGTERM);
    if (interrupt_pending())
        _exit(2);
    atomic_store(&told, what);
    raise(what == BOARD_END ? SIGTERM : EVENTS_BOARD);
    _exit(interrupt_pending());
}

/* A stop of somebody else that waits takes the worker's TERM in. */
static void be_told_in_somebody_elses(int what)
{
    begin_lua();
    atomic_store(&told, what);
    raise(SIGTERM);
    _exit(interrupt_pending());
}

static void on_own_term(int signo)
{
    (void)signo;
}

static void hear_term_itself(int what)
{
    begin_lua();
    signal(SIGTERM, on_own_term);
    atomic_store(&told, what);
    raise(EVENTS_BOARD);
    raise(SIGTERM);
    _exit(interrupt_pending());
}

static void only_what_stands_on_the_board_counts(void **state)
{
    (void)state;
    assert_int_equal(WEXITSTATUS(ending_of(be_told, BOARD_NOTHING)), 0);
    assert_int_equal(WEXITSTATUS(ending_of(be_told, BOARD_TIMEOUT)), 1);
    assert_int_equal(WEXITSTATUS(ending_of(be_told, BOARD_TERM)), 1);
    assert_int_equal(WEXITSTATUS(ending_of(be_told_in_somebody_elses, BOARD_TERM)), 1);
    int status = ending_of(be_told, BOARD_END);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void a_job_may_hear_term_itself(void **state)
{
    (void)state;
    assert_int_equal(ending_of(hear_term_itself, BOARD_TERM), 0);
    assert_int_equal(ending_of(hear_term_itself, BOARD_END), 0);
}

/* Not the kernel's: it ends the process, as that of any program. */
static void get_cpu_signal(int unused)
{
    (void)unused;
    begin_lua();
    jobsignals_hear_cpu();
    raise(SIGXCPU);
}

static void somebody_elses_cpu_signal_is_no_limit(void **state)
{
    (void)state;
    int status = ending_of(get_cpu_signal, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGXCPU);
}

/* --- sleep --- */

static pid_t send_again_and_again(int signo)
{
    pid_t sleeper = getpid();
    pid_t pid = fork();
    while (pid == 0 && kill(sleeper, signo) == 0)
        usleep(5000);
    if (pid == 0)
        _exit(0);
    return pid;
}

static bool sleep_for(double seconds)
{
    lua_State *L = luaL_newstate();
    lua_pushcfunction(L, lualib_sleep);
    lua_pushnumber(L, seconds);
    lua_call(L, 1, 1);
    bool whole = lua_toboolean(L, -1);
    lua_close(L);
    return whole;
}

static void sleep_under_what_does_nothing(int signo)
{
    be_a_job();
    pid_t sender = send_again_and_again(signo);
    int64_t until = clock_ms() + 100;
    bool whole = sleep_for(0.1);
    int64_t now = clock_ms();
    kill(sender, SIGKILL);
    _exit(whole && now >= until ? 0 : 1);
}

static void sleep_under_what_the_job_hears(int signo)
{
    be_a_job();
    signal(signo, on_own_term);
    pid_t sender = send_again_and_again(signo);
    bool whole = sleep_for(50);
    kill(sender, SIGKILL);
    _exit(whole ? 1 : 0);
}

static void a_sleep_goes_on_behind_what_does_nothing(void **state)
{
    (void)state;
    assert_int_equal(ending_of(sleep_under_what_does_nothing, SIGQUIT), 0);
    assert_int_equal(ending_of(sleep_under_what_does_nothing, SIGTERM), 0);
    assert_int_equal(ending_of(sleep_under_what_the_job_hears, SIGALRM), 0);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(swallowed); i++)
        signal(swallowed[i], SIG_DFL); /* nohup's word is not for these tests */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_not_ended_by_them),
        cmocka_unit_test(what_it_forks_and_executes_is),
        cmocka_unit_test(what_was_ignored_stays_so),
        cmocka_unit_test(only_what_stands_on_the_board_counts),
        cmocka_unit_test(a_job_may_hear_term_itself),
        cmocka_unit_test(somebody_elses_cpu_signal_is_no_limit),
        cmocka_unit_test(a_sleep_goes_on_behind_what_does_nothing),
    };
    return cmocka_run_group_tests_name("jobsignals", tests, NULL, NULL);
}
