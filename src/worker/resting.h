/* resting.h - queues that a worker leaves alone for a while, because no job class of theirs is to
 * be had: after a deploy without its classes, or with the wrong APP_INCLUDE, a queue is not to be
 * moved to `failed`.
 *
 * While no class has been found since the start or the last change of a file, RESTING_AFTER jobs in
 * a row fail; the next one whose class cannot be had is put back, and its queue rests until a file
 * changes, HUP comes, or RESTING_SECONDS have passed. Then as many may fail again. A queue that has
 * rested stays under suspicion, whatever becomes of the others, until one of its own classes is
 * found. Nothing here knows Redis. */
#ifndef RESTING_H
#define RESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job/job.h"
#include "job/outcome.h"
#include "os/watched.h"
#include "worker/death.h"

#define RESTING_AFTER 5
#define RESTING_SECONDS 60.0
#define RESTING_LOOK 1.0 /* seconds between looks at the files */

struct resting_queue { /* under suspicion */
    char *name, *why;
    bool rests;
    int row; /* its jobs in a row whose class could not be had */
};

struct resting {
    const char *include; /* borrowed; NULL: there are only the classes of ./jobs */
    struct watched files;
    int64_t look_at; /* when to look at them again */
    bool found;      /* a class, since the files are as they are */
    int row;         /* jobs in a row whose class could not be had, of any queue */
    struct resting_queue *queues;
    size_t count;
    int64_t until; /* when all that rest have rested enough; CLOCK_NEVER: none rests */
};

void resting_open(struct resting *r, const char *include, int64_t now);
void resting_close(struct resting *r);

/* Ends the rest that is over, or that a change of a file ends. To be called before jobs are asked
 * for, and while one waits by resting_deadline. True: the queues served are others than before. */
bool resting_look(struct resting *r, int64_t now);
int64_t resting_deadline(const struct resting *r);

/* HUP: as if a file had changed. The same result. */
bool resting_forget(struct resting *r);

bool resting_has(const struct resting *r, const char *queue);
bool resting_any(const struct resting *r);

/* Whether a job is to be put back if its class cannot be had, instead of failing. */
bool resting_spares(const struct resting *r, const char *queue);

/* Looks at each end of a job's process. One that was to be spared, and whose class could not be
 * had, is put back, and its queue rests, unless a file has changed meanwhile. The same result. */
bool resting_judge(struct resting *r, const struct job *job, const struct death *death,
                   struct outcome *outcome, int64_t now);

#endif
