/* wishes.c - see wishes.h. */
#include "wishes.h"

#include <string.h>

#include "clock.h"
#include "folder.h"
#include "log.h"

void wishes_init(struct wishes *w)
{
    *w = (struct wishes){.leave = STAY, .leave_by = CLOCK_NEVER};
}

static void leave_now(struct wishes *w, const char *reason)
{
    w->leave = LEAVE_NOW;
    w->leave_by = CLOCK_NEVER;
    w->kill = reason;
}

static void terminate(struct wishes *w, const struct options *o, const char *signal_name)
{
    if (w->leave != STAY || !o->graceful_term) {
        leave_now(w, signal_name);
        return;
    }
    w->leave = LEAVE_AFTER_JOB;
    if (o->term_timeout_given)
        w->leave_by = clock_after(o->term_timeout);
}

void wishes_take(struct wishes *w, struct events *ev, const struct options *o)
{
    if (events_take(ev, SIGTERM))
        terminate(w, o, "SIGTERM");
    if (events_take(ev, SIGINT))
        terminate(w, o, "SIGINT");
    if (events_take(ev, SIGQUIT) && w->leave == STAY)
        w->leave = LEAVE_AFTER_JOB;
    if (events_take(ev, SIGUSR1))
        w->kill = "SIGUSR1";
    if (events_take(ev, SIGUSR2))
        w->pause = true;
    if (events_take(ev, SIGCONT))
        w->pause = false;
    events_take(ev, EVENTS_BOARD); /* whoever has a job looks at the board */
    if (events_take(ev, SIGHUP)) {
        w->rest_until = 0;
        w->look_again = true;
        folder_follow(o->folder); /* LOGFILE may be relative */
        log_reopen();
    }
    if (w->leave == LEAVE_AFTER_JOB && clock_ms() >= w->leave_by)
        leave_now(w, "SIGTERM (RESQUE_TERM_TIMEOUT is over)");
}

bool wishes_a_job(const struct wishes *w)
{
    return w->leave == STAY && !w->pause && clock_ms() >= w->rest_until;
}

bool wishes_is_leave(const char *kill)
{
    return strncmp(kill, "SIGTERM", 7) == 0 || strncmp(kill, "SIGINT", 6) == 0;
}
