/* wishes.h - what signals ask of a worker. Taking a signal only sets a wish; the worker's steps
 * read them where it suits, so nothing happens in the middle of a step. */
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
    bool look_again;    /* HUP came; for whoever keeps something of the scripts to clear */
    enum kill_reason kill; /* end the running job; KILL_NONE: let it run */
    int64_t leave_by;      /* when LEAVE_AFTER_JOB becomes LEAVE_NOW; CLOCK_NEVER */
    struct insist insist;
    bool insisted;     /* a second stop has come */
    unsigned ended_by; /* who sent the last USR1; the other one's is the same until echo_until */
    int64_t echo_until;
};

void wishes_init(struct wishes *w);

/* Takes the signals that came. QUIT: leave after the job. TERM, INT: now, or after the job with
 * GRACEFUL_TERM; a second one (insist.h) is now, unless the manager passed it on. USR1: end the
 * job. USR2, CONT: pause, go on. HUP: open the log again, rest no longer. EVENTS_BOARD: nothing
 * here, what it is about is on the board. */
void wishes_take(struct wishes *w, struct events *ev, const struct options *options);

/* The manager was told to stop a second time, by this TERM or INT. Anything else is not from it: 0,
 * or what a job has written on the board. */
void wishes_insist(struct wishes *w, int signo);

/* When wishes_take is due, whatever comes; CLOCK_NEVER. */
int64_t wishes_deadline(const struct wishes *w);

/* Whether a new job is welcome. */
bool wishes_a_job(const struct wishes *w);

#endif
