/* wishes.c - see wishes.h. */
#include "worker/wishes.h"

#include <signal.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/folder.h"

#define ECHO 1.0 /* seconds in which an order to every process comes the other way, too */

void wishes_init(struct wishes *w)
{
    *w = (struct wishes){.leave = STAY, .leave_by = CLOCK_NEVER};
}

static void leave_now(struct wishes *w, enum kill_reason why)
{
    w->leave = LEAVE_NOW;
    w->leave_by = CLOCK_NEVER;
    w->kill = why;
}

static void insist_once(struct wishes *w, enum kill_reason why)
{
    if (!w->insisted)
        leave_now(w, why);
    w->insisted = true;
}

void wishes_insist(struct wishes *w, int signo)
{
    if (signo == SIGTERM || signo == SIGINT)
        insist_once(w, signo == SIGTERM ? KILL_TERM : KILL_INT);
}

/* Hears TERM or INT. A second one means now if somebody else than the manager sent it: the manager
 * passes on each stop once, and says by the board when it has to be now. */
static void terminate(struct wishes *w, const struct options *options, enum kill_reason why,
                      unsigned senders)
{
    if (w->insist.counts && (senders & EVENTS_OTHERS))
        insist_once(w, why);
    insist_begin(&w->insist);
    if (w->leave == LEAVE_NOW)
        return;
    if (!options->stop.graceful_term) {
        leave_now(w, why);
        return;
    }
    w->leave = LEAVE_AFTER_JOB;
    if (options->stop.term_timeout_given && w->leave_by == CLOCK_NEVER)
        w->leave_by = clock_after(options->stop.term_timeout);
}

static void finish(struct wishes *w)
{
    insist_begin(&w->insist);
    if (w->leave == STAY)
        w->leave = LEAVE_AFTER_JOB;
}

/* Hears USR1, which means the job that runs. Sent to every process it comes twice, from the sender
 * and from the manager, and the second is not for the job that runs by then. */
static void end_job(struct wishes *w, unsigned senders)
{
    bool other_way = w->ended_by && !(w->ended_by & senders) && clock_ms() < w->echo_until;
    w->ended_by = other_way ? 0 : senders;
    w->echo_until = clock_after(ECHO);
    if (!other_way)
        w->kill = KILL_USR1;
}

void wishes_take(struct wishes *w, struct events *ev, const struct options *options)
{
    unsigned senders;
    if ((senders = events_take(ev, SIGTERM)))
        terminate(w, options, KILL_TERM, senders);
    if ((senders = events_take(ev, SIGINT)))
        terminate(w, options, KILL_INT, senders);
    if (events_take(ev, SIGQUIT))
        finish(w);
    if ((senders = events_take(ev, SIGUSR1)))
        end_job(w, senders);
    if (events_take(ev, SIGUSR2))
        w->pause = true;
    if (events_take(ev, SIGCONT))
        w->pause = false;
    events_take(ev, EVENTS_BOARD); /* a worker that has a job looks at the board */
    if (events_take(ev, SIGHUP)) {
        w->rest_until = 0;
        w->look_again = true;
        folder_follow(options->scripts.folder); /* LOGFILE may be relative */
        log_reopen();
    }
    insist_look(&w->insist);
    if (w->leave == LEAVE_AFTER_JOB && clock_ms() >= w->leave_by)
        leave_now(w, KILL_LEFT_OVER);
}

int64_t wishes_deadline(const struct wishes *w)
{
    return clock_sooner(w->leave_by, insist_deadline(&w->insist));
}

bool wishes_a_job(const struct wishes *w)
{
    return w->leave == STAY && !w->pause && clock_ms() >= w->rest_until;
}
