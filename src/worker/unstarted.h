/* unstarted.h - a job whose process died before the job's code ran is put back, but not for ever: a
 * process that dies again and again is not going to do better the next time. */
#ifndef UNSTARTED_H
#define UNSTARTED_H

#include <stdbool.h>

#include "job/job.h"
#include "job/outcome.h"

struct unstarted {
    char id[64]; /* of the last such job; its class if it has no id */
    int times;   /* in a row */
};

/* Looks at each end of a job's process; `killed`: we ended it ourselves. From the third such death
 * in a row on, the job fails instead of being put back. */
void unstarted_note(struct unstarted *u, const struct job *job, struct outcome *outcome,
                    bool killed);

#endif
