/* unstarted.h - how often in a row the process of one job has ended before the job's code ran. Such
 * a job is put back, but not for ever: see UNSTARTED_MAX. */
#ifndef UNSTARTED_H
#define UNSTARTED_H

#include "job/job.h"
#include "worker/death.h"

#define UNSTARTED_MAX 2 /* after one more, the job fails instead of being put back */

struct unstarted {
    char id[64]; /* of the last such job; its class if it has no id */
    int times;   /* in a row */
};

/* Counts the death of a job's process, of whatever kind. Returns how many early ones of this job
 * there have been in a row: 0 if this one was not early. */
int unstarted_count(struct unstarted *u, const struct job *job, const struct death *death);

#endif
