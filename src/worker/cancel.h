/* cancel.h - a job that somebody wants stopped (`resque-lua job ID --kill`): how its worker knows,
 * and what its end is then.
 *
 * The manager writes the token of the job on the board and sends EVENTS_BOARD, which only ends the
 * worker's wait. A token names one reservation for ever, so whoever compares it can do so at any
 * time: the next job is never meant. */
#ifndef CANCEL_H
#define CANCEL_H

#include <stdbool.h>

#include "job/board.h"
#include "job/job.h"
#include "job/outcome.h"

/* Why child_kill ends the job's process. */
extern const char cancel_reason[];

bool cancel_wanted(const struct board_slot *slot, const struct job *job);

/* The end of a job that has not run yet. */
void cancel_unstarted(struct outcome *outcome);

/* Turns the end of a job whose process we ended for cancel_reason into a cancelled one. What the
 * job brought to an end of its own meanwhile stays as it is: done, or failed with an error other
 * than the one TERM_CHILD raised in it. `started`: its code may have run. */
void cancel_judge(struct outcome *outcome, bool started);

#endif
