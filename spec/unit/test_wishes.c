/* needs: worker/wishes.c os/signals.c os/folder.c os/insist.c os/events.c base/clock.c */
/* needs: base/log.c base/text.c os/descriptors.c base/memory.c */
/* test_wishes.c - what signals ask of a worker: sequences of signals × settings. */
#include "worker/wishes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void take_from(struct wishes *w, const struct options *o, int signo, unsigned senders)
{
    struct events ev;
    events_init_plain(&ev);
    ev.signals = senders & EVENTS_OTHERS ? UINT64_C(1) << signo : 0;
    ev.passed_on = senders & EVENTS_MANAGER ? UINT64_C(1) << signo : 0;
    wishes_take(w, &ev, o);
    assert_int_equal(ev.signals | ev.passed_on, 0);
}

static void take(struct wishes *w, const struct options *o, int signo)
{
    take_from(w, o, signo, EVENTS_OTHERS);
}

/* A second goes by; if anybody looks for signals meanwhile, there are none. */
static void a_second_later(struct wishes *w, const struct options *o, bool looks)
{
    struct events none;
    events_init_plain(&none);
    assert_true(wishes_deadline(w) <= clock_after(1)); /* else nobody would look */
    w->insist.counts_at = clock_ms() - 1;
    if (looks)
        wishes_take(w, &none, o);
}

static void signals_in_a_row(void **state)
{
    enum { NONE = 0, BOARD = -1 };
    static const struct {
        bool graceful;
        int first, second, leave;
        bool pause;
        enum kill_reason kill;
    } rows[] = {
        {false, SIGQUIT, NONE, LEAVE_AFTER_JOB, false, KILL_NONE},
        {false, SIGTERM, NONE, LEAVE_NOW, false, KILL_TERM},
        {false, SIGINT, NONE, LEAVE_NOW, false, KILL_INT},
        {true, SIGTERM, NONE, LEAVE_AFTER_JOB, false, KILL_NONE},
        {true, SIGINT, NONE, LEAVE_AFTER_JOB, false, KILL_NONE},
        {true, SIGTERM, SIGTERM, LEAVE_AFTER_JOB, false, KILL_NONE},
        {true, SIGTERM, SIGINT, LEAVE_AFTER_JOB, false, KILL_NONE},
        {false, SIGQUIT, SIGTERM, LEAVE_NOW, false, KILL_TERM},
        {true, SIGQUIT, SIGTERM, LEAVE_AFTER_JOB, false, KILL_NONE},
        {false, SIGTERM, SIGQUIT, LEAVE_NOW, false, KILL_TERM},
        {false, SIGUSR1, NONE, STAY, false, KILL_USR1},
        {false, SIGUSR2, NONE, STAY, true, KILL_NONE},
        {false, SIGUSR2, SIGCONT, STAY, false, KILL_NONE},
        {false, SIGUSR2, SIGQUIT, LEAVE_AFTER_JOB, true, KILL_NONE},
        {false, SIGCONT, NONE, STAY, false, KILL_NONE},
        {false, SIGUSR2, BOARD, STAY, true, KILL_NONE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct options o = {.stop.graceful_term = rows[i].graceful};
        struct wishes w;
        wishes_init(&w);
        take(&w, &o, rows[i].first);
        if (rows[i].second)
            take(&w, &o, rows[i].second == BOARD ? EVENTS_BOARD : rows[i].second);
        assert_int_equal(w.leave, rows[i].leave);
        assert_int_equal(w.pause, rows[i].pause);
        assert_int_equal(w.kill, rows[i].kill);
    }
}

/* Whoever sends a stop to every process sends it once, however often it comes. */
static void a_second_stop_comes_later_and_not_from_the_manager(void **state)
{
    const struct options o = {.stop.graceful_term = true};
    static const struct {
        int first, second;
        unsigned second_from;
        bool looks;
        int leave;
    } rows[] = {
        {SIGTERM, SIGTERM, EVENTS_OTHERS, true, LEAVE_NOW},
        {SIGTERM, SIGINT, EVENTS_OTHERS, true, LEAVE_NOW},
        {SIGINT, SIGTERM, EVENTS_OTHERS, true, LEAVE_NOW},
        {SIGQUIT, SIGTERM, EVENTS_OTHERS, true, LEAVE_NOW},
        {SIGTERM, SIGTERM, EVENTS_OTHERS | EVENTS_MANAGER, true, LEAVE_NOW},
        {SIGTERM, SIGTERM, EVENTS_MANAGER, true, LEAVE_AFTER_JOB},
        {SIGTERM, SIGTERM, EVENTS_OTHERS, false, LEAVE_AFTER_JOB},
        {SIGTERM, SIGQUIT, EVENTS_OTHERS, true, LEAVE_AFTER_JOB},
        {SIGTERM, SIGHUP, EVENTS_OTHERS, true, LEAVE_AFTER_JOB},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wishes w;
        wishes_init(&w);
        take_from(&w, &o, rows[i].first, EVENTS_MANAGER);
        a_second_later(&w, &o, rows[i].looks);
        take_from(&w, &o, rows[i].second, rows[i].second_from);
        assert_int_equal(w.leave, rows[i].leave);
        assert_true((w.kill != KILL_NONE) == (rows[i].leave == LEAVE_NOW));
    }
}

/* What was said once is not said again, to whatever runs by then. */
static void the_manager_insists_once(void **state)
{
    static const int nonsense[] = {0, SIGQUIT, SIGKILL, 0x01010101, -1};
    const struct options o = {.stop.graceful_term = true};
    struct wishes w;
    (void)state;
    wishes_init(&w);
    take(&w, &o, SIGTERM);
    for (size_t i = 0; i < COUNT(nonsense); i++)
        wishes_insist(&w, nonsense[i]);
    assert_int_equal(w.leave, LEAVE_AFTER_JOB);
    assert_int_equal(w.kill, KILL_NONE);
    wishes_insist(&w, SIGINT);
    assert_int_equal(w.leave, LEAVE_NOW);
    assert_int_equal(w.kill, KILL_INT);
    w.kill = KILL_NONE;
    wishes_insist(&w, SIGINT);
    take_from(&w, &o, SIGTERM, EVENTS_MANAGER);
    assert_int_equal(w.kill, KILL_NONE);
    assert_true(wishes_deadline(&w) <= clock_after(1));
}

static void usr1_to_every_process_ends_one_job(void **state)
{
    const struct options o = {0};
    static const struct {
        unsigned first, second;
        bool later, again;
    } rows[] = {
        {EVENTS_OTHERS, EVENTS_MANAGER, false, false},
        {EVENTS_MANAGER, EVENTS_OTHERS, false, false},
        {EVENTS_OTHERS, EVENTS_OTHERS, false, true},
        {EVENTS_MANAGER, EVENTS_MANAGER, false, true},
        {EVENTS_OTHERS, EVENTS_MANAGER, true, true},
        {EVENTS_OTHERS | EVENTS_MANAGER, EVENTS_OTHERS, false, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct wishes w;
        wishes_init(&w);
        take_from(&w, &o, SIGUSR1, rows[i].first);
        assert_int_equal(w.kill, KILL_USR1);
        w.kill = KILL_NONE; /* its job is ended, the next one runs */
        if (rows[i].later)
            w.echo_until = clock_ms();
        take_from(&w, &o, SIGUSR1, rows[i].second);
        assert_true((w.kill != KILL_NONE) == rows[i].again);
        w.kill = KILL_NONE;
        take_from(&w, &o, SIGUSR1, rows[i].second);
        assert_int_not_equal(w.kill, KILL_NONE);
    }
}

/* GRACEFUL_TERM waits without limit, unless RESQUE_TERM_TIMEOUT is given. */
static void a_graceful_stop_is_bounded_only_when_asked(void **state)
{
    const struct options unbounded = {.stop.graceful_term = true, .stop.term_timeout = 0};
    const struct options bounded = {
        .stop.graceful_term = true, .stop.term_timeout = 0, .stop.term_timeout_given = true};
    struct events none;
    struct wishes w;
    (void)state;
    events_init_plain(&none);
    wishes_init(&w);
    take(&w, &unbounded, SIGTERM);
    wishes_take(&w, &none, &unbounded);
    assert_int_equal(w.leave, LEAVE_AFTER_JOB);
    assert_true(w.leave_by == CLOCK_NEVER);
    wishes_init(&w);
    take(&w, &bounded, SIGTERM);
    wishes_take(&w, &none, &bounded);
    assert_int_equal(w.leave, LEAVE_NOW);
    assert_true(w.leave_by ==
                CLOCK_NEVER); /* else the worker would wake up for it again and again */
    assert_int_equal(w.kill, KILL_LEFT_OVER);
}

static void a_job_is_welcome_unless_something_speaks_against_it(void **state)
{
    const struct options o = {0};
    struct wishes w;
    (void)state;
    wishes_init(&w);
    assert_true(wishes_a_job(&w));
    take(&w, &o, SIGUSR2);
    assert_false(wishes_a_job(&w));
    take(&w, &o, SIGCONT);
    w.rest_until = clock_after(60);
    assert_false(wishes_a_job(&w));
    take(&w, &o, SIGHUP);
    assert_true(wishes_a_job(&w));
    take(&w, &o, SIGQUIT);
    assert_false(wishes_a_job(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals_in_a_row),
        cmocka_unit_test(a_second_stop_comes_later_and_not_from_the_manager),
        cmocka_unit_test(the_manager_insists_once),
        cmocka_unit_test(usr1_to_every_process_ends_one_job),
        cmocka_unit_test(a_graceful_stop_is_bounded_only_when_asked),
        cmocka_unit_test(a_job_is_welcome_unless_something_speaks_against_it),
    };
    return cmocka_run_group_tests_name("wishes", tests, NULL, NULL);
}
