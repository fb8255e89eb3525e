/* unstarted.h - a job whose process died before the job's code ran is put back, but not for ever: a
 * process that dies again and again is not going to do better the next time. */
#ifndef UNSTARTED_H
#define UNSTARTED_H

#include "job.h"
#include "outcome.h"

struct unstarted {
    char id[64]; /* of the last such job; its class if it has no id */
    int times;   /* in a row */
};

/* Counts one more such death. From the third on, the job fails instead of being put back. */
void unstarted_count(struct unstarted *u, const struct job *job, struct outcome *end);

/* Another job came in between. */
void unstarted_reset(struct unstarted *u);

#endif
