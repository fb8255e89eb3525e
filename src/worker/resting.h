/* resting.h - decides which queues a worker leaves alone for a while because the classes of their
 * jobs are missing: after a deploy without them, or with the wrong APP_INCLUDE, a whole queue must
 * not move to `failed`.
 *
 * While no class has been found since the start or the last change of a file, RESTING_AFTER jobs in
 * a row fail. The next job without a class is put back, and its queue rests until a file changes,
 * HUP comes, or RESTING_SECONDS have passed; then RESTING_AFTER jobs may fail again. A queue that
 * has rested stays under suspicion until one of its own classes is found, whatever happens to other
 * queues. Nothing here knows Redis. */
#ifndef RESTING_H
#define RESTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/watched.h"

struct death;
struct job;
struct outcome;

#define RESTING_AFTER 5
#define RESTING_SECONDS 60.0
#define RESTING_LOOK 1.0 /* seconds between looks at the files */

struct resting_queue { /* under suspicion */
    char *name, *why;
    bool rests;
    int row; /* how many of its jobs, one after the other, had no class */
};

struct resting {
    const char *include; /* borrowed; NULL: there are only the classes of ./jobs */
    struct watched files;
    int64_t look_at; /* when to look at them again */
    bool found;      /* a class, since the files are as they are */
    int row;         /* the same, of all queues */
    struct resting_queue *queues;
    size_t count;
    int64_t until; /* when all that rest have rested enough; CLOCK_NEVER: none rests */
};

void resting_open(struct resting *r, const char *include, int64_t now);
void resting_close(struct resting *r);

/* Ends a rest that is over, or that a changed file ends. To be called before Redis is asked for a
 * job, and at resting_deadline while the worker waits. True: other queues than before are served.
 */
bool resting_look(struct resting *r, int64_t now);
int64_t resting_deadline(const struct resting *r);

/* Does the same as if a file had changed, for HUP. */
bool resting_forget(struct resting *r);

bool resting_has(const struct resting *r, const char *queue);
bool resting_any(const struct resting *r);

/* Whether a job of this queue is put back, instead of failing, if its class is missing. */
bool resting_spares(const struct resting *r, const char *queue);

/* Looks at the outcome of a job whose process has ended. If its class was missing and the job was
 * to be spared, it is put back, and its queue rests unless a file has changed meanwhile. True:
 * other queues than before are served. */
bool resting_judge(struct resting *r, const struct job *job, const struct death *death,
                   struct outcome *outcome, int64_t now);

#endif
