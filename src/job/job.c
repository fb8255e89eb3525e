/* job.c - see job.h. */
#include "job/job.h"

#include <stdlib.h>

void job_clear(struct job *job)
{
    free(job->queue);
    free(job->class);
    free(job->id);
    free(job->payload);
    *job = (struct job){0};
}
