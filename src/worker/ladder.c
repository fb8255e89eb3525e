/* ladder.c - see ladder.h. */
#include "worker/ladder.h"

#include <signal.h>
#include <stdbool.h>

#include "base/clock.h"
#include "job/board.h"
#include "os/events.h"

void ladder_init(struct ladder *l, atomic_int *told)
{
    *l = (struct ladder){.at = CLOCK_NEVER, .told = told};
    atomic_store(told, BOARD_NOTHING);
}

void ladder_begin(struct ladder *l, const struct options *options, enum kill_reason why)
{
    bool timed_out = l->reason == KILL_TIMEOUT;
    bool hurry = timed_out && !options->stop.term_child; /* its grace is over, then */
    if (l->step == LADDER_DONE || (l->step != LADDER_UNUSED && !hurry))
        return;
    if (!timed_out)
        l->reason = why;
    l->grace = options->stop.term_timeout;
    l->step = options->stop.term_child ? LADDER_TERM_NEXT : LADDER_KILL_NEXT;
    l->at = options->stop.term_child ? clock_after(options->stop.pre_shutdown_timeout) : clock_ms();
}

/* Sends the signal to the first thread of the process, so that it comes before other signals that
 * wait there: those would have a call that waits begin anew. */
static void tell(const struct ladder *l, pid_t pid, enum board_told what)
{
    atomic_store(l->told, what);
    tgkill(pid, pid, EVENTS_BOARD);
}

void ladder_time_is_up(struct ladder *l, const struct options *options, pid_t pid)
{
    if (l->step != LADDER_UNUSED)
        return;
    l->reason = KILL_TIMEOUT;
    tell(l, pid, BOARD_TIMEOUT);
    l->grace = options->stop.term_timeout / 2;
    l->step = LADDER_TERM_NEXT;
    l->at = clock_after(l->grace);
}

void ladder_kill_after(struct ladder *l, double seconds)
{
    l->step = LADDER_KILL_NEXT;
    l->at = clock_after(seconds);
}

void ladder_hurry(struct ladder *l)
{
    if (l->step == LADDER_KILL_NEXT)
        l->at = 0;
}

void ladder_climb(struct ladder *l, pid_t pid)
{
    if (l->step == LADDER_TERM_NEXT) {
        tell(l, pid, l->reason == KILL_TIMEOUT ? BOARD_END : BOARD_TERM);
        kill(-pid, SIGTERM); /* its programs, and whatever of its own hears TERM */
        kill(-pid, SIGCONT);
        l->step = LADDER_KILL_NEXT;
        l->at = clock_after(l->grace);
    } else if (l->step == LADDER_KILL_NEXT) {
        kill(-pid, SIGKILL);
        l->step = LADDER_DONE;
        l->at = CLOCK_NEVER;
    }
}
