/* needs: wishes.c folder.c events.c clock.c log.c text.c */
/* test_wishes.c folder.c - what signals ask of a worker: sequences of signals × settings. */
#include "wishes.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void take(struct wishes *w, const struct options *o, int signo)
{
    struct events ev;
    events_init_plain(&ev);
    ev.signals = UINT64_C(1) << signo;
    wishes_take(w, &ev, o);
    assert_int_equal(ev.signals, 0);
}

static void signals_in_a_row(void **state)
{
    enum { NONE = 0, BOARD = -1 };
    static const struct {
        bool graceful;
        int first, second, leave;
        bool pause;
        const char *kill;
    } rows[] = {
        {false, SIGQUIT, NONE, LEAVE_AFTER_JOB, false, NULL},
        {false, SIGTERM, NONE, LEAVE_NOW, false, "SIGTERM"},
        {false, SIGINT, NONE, LEAVE_NOW, false, "SIGINT"},
        {true, SIGTERM, NONE, LEAVE_AFTER_JOB, false, NULL},
        {true, SIGINT, NONE, LEAVE_AFTER_JOB, false, NULL},
        {true, SIGTERM, SIGTERM, LEAVE_NOW, false, "SIGTERM"},
        {true, SIGTERM, SIGINT, LEAVE_NOW, false, "SIGINT"},
        {false, SIGQUIT, SIGTERM, LEAVE_NOW, false, "SIGTERM"},
        {true, SIGQUIT, SIGTERM, LEAVE_NOW, false, "SIGTERM"},
        {false, SIGTERM, SIGQUIT, LEAVE_NOW, false, "SIGTERM"},
        {false, SIGUSR1, NONE, STAY, false, "SIGUSR1"},
        {false, SIGUSR2, NONE, STAY, true, NULL},
        {false, SIGUSR2, SIGCONT, STAY, false, NULL},
        {false, SIGUSR2, SIGQUIT, LEAVE_AFTER_JOB, true, NULL},
        {false, SIGCONT, NONE, STAY, false, NULL},
        {false, SIGUSR2, BOARD, STAY, true, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct options o = {.graceful_term = rows[i].graceful};
        struct wishes w;
        wishes_init(&w);
        take(&w, &o, rows[i].first);
        if (rows[i].second)
            take(&w, &o, rows[i].second == BOARD ? EVENTS_BOARD : rows[i].second);
        assert_int_equal(w.leave, rows[i].leave);
        assert_int_equal(w.pause, rows[i].pause);
        assert_string_equal(w.kill ? w.kill : "-", rows[i].kill ? rows[i].kill : "-");
    }
}

/* GRACEFUL_TERM waits without limit, unless RESQUE_TERM_TIMEOUT is given. */
static void a_graceful_stop_is_bounded_only_when_asked(void **state)
{
    const struct options unbounded = {.graceful_term = true, .term_timeout = 0};
    const struct options bounded = {
        .graceful_term = true, .term_timeout = 0, .term_timeout_given = true};
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
    assert_non_null(strstr(w.kill, "RESQUE_TERM_TIMEOUT"));
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
        cmocka_unit_test(a_graceful_stop_is_bounded_only_when_asked),
        cmocka_unit_test(a_job_is_welcome_unless_something_speaks_against_it),
    };
    return cmocka_run_group_tests_name("wishes", tests, NULL, NULL);
}
