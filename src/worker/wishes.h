/* wishes.h - notes what signals ask of a worker. A signal only sets a wish; each step of the worker
 * reads the wishes where that suits it, so nothing happens in the middle of a step. */
#ifndef WISHES_H
#define WISHES_H

#include <stdbool.h>
#include <stdint.h>

#include "options/options.h"
#include "os/events.h"
#include "os/insist.h"
#include "worker/kill_reason.h"

struct wishes {
    enum { STAY, LEAVE_AFTER_JOB, LEAVE_NOW } leave;
    bool pause;
    int64_t rest_until; /* no new job before this; HUP ends it, as what was broken may be mended */
    bool look_again;    /* HUP came: what is remembered of scripts is out of date */
    enum kill_reason kill; /* end the running job; KILL_NONE: let it run */
    int64_t leave_by;      /* when LEAVE_AFTER_JOB becomes LEAVE_NOW; CLOCK_NEVER */
    struct insist insist;
    bool insisted;     /* a second stop has come */
    unsigned ended_by; /* the sender of the last USR1; one of the other sender is its echo until */
    int64_t echo_until;
};

void wishes_init(struct wishes *w);

/* Takes the signals that came. QUIT: leave after the job. TERM, INT: now, or after the job with
 * GRACEFUL_TERM; a second one (insist.h) is now, unless the manager passed it on. USR1: end the
 * job. USR2, CONT: pause, go on. HUP: open the log again, rest no longer. EVENTS_BOARD: nothing,
 * as the caller looks at the board. */
void wishes_take(struct wishes *w, struct events *ev, const struct options *options);

/* Takes the second stop that the manager was sent, this TERM or INT, from the board. Any other
 * number is ignored: 0, or one that a job wrote there. */
void wishes_insist(struct wishes *w, int signo);

/* When wishes_take is due, whatever comes; CLOCK_NEVER. */
int64_t wishes_deadline(const struct wishes *w);

/* Whether a new job is welcome. */
bool wishes_a_job(const struct wishes *w);

#endif
