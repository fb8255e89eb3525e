/* ladder.h - ends a job's process step by step: an error inside the job, TERM, KILL. Each step is
 * due when the one before has had its time; the owner of the process waits until then and climbs.
 */
#ifndef LADDER_H
#define LADDER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "options/options.h"
#include "worker/kill_reason.h"

struct ladder {
    enum { LADDER_UNUSED, LADDER_TERM_NEXT, LADDER_KILL_NEXT, LADDER_DONE } step;
    int64_t at;   /* when the next step is due, in clock_ms; CLOCK_NEVER: there is none */
    double grace; /* seconds from TERM to KILL */
    enum kill_reason reason;
    atomic_int *told; /* borrowed: on the board, for the process to see; enum board_told */
};

void ladder_init(struct ladder *l, atomic_int *told);

/* Begins to end the process: with TERM_CHILD as its time-outs say, else with KILL at once. A second
 * reason changes nothing, but that it cuts short the grace after a time limit. */
void ladder_begin(struct ladder *l, const struct options *options, enum kill_reason why);

/* The job of `pid` has used up its time: it gets an error wherever it is, and is ended if it takes
 * no notice. Does nothing if it is being ended. */
void ladder_time_is_up(struct ladder *l, const struct options *options, pid_t pid);

/* Without TERM: KILL after so many seconds; or, in a hurry, with the next climb. */
void ladder_kill_after(struct ladder *l, double seconds);
void ladder_hurry(struct ladder *l);

/* Takes the next step. To be called when it is due. */
void ladder_climb(struct ladder *l, pid_t pid);

#endif
