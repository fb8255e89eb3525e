/* notes.h - what keeps a worker from jobs, as its lua:proc:<id> has it: `resque-lua workers` and
 * `doctor` show it. Written when it changes, so never while all is well. */
#ifndef NOTES_H
#define NOTES_H

#include <stdbool.h>

#include "child/include_check.h"
#include "worker/blocked.h"
#include "worker/resting.h"

struct registry;

struct notes {
    struct blocked blocked;
    struct resting resting;
    bool due;     /* Redis is to be told */
    bool refused; /* it does not let this worker, which has been said */
};

/* Looks at what resting jobs' classes may come from; `again`: HUP asks for it. As resting_look. */
bool notes_look(struct notes *n, bool again);

/* A job could not start; if it is put back for a reason that was said before, quietly. */
void notes_held_up(struct notes *n, struct outcome *outcome);

bool notes_blocked(const struct notes *n);

/* If jobs cannot start: could they by now? */
void notes_try(struct notes *n, const struct include_check *check);

/* A job has begun: none is blocked any more. */
void notes_started(struct notes *n);

/* See resting_judge. */
void notes_judge(struct notes *n, const struct job *job, const struct death *death,
                 struct outcome *outcome);

/* The worker is about to register: what was told before went with its old registration. */
void notes_renew(struct notes *n);

/* Tells Redis, if that is due. What cannot be told stays due. */
void notes_tell(struct notes *n, struct registry *registry);

#endif
