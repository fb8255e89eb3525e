/* joblog.c - see joblog.h. */
#include "joblog.h"

#include "log.h"

/* php-resque's words for a job, as people's log searches know them. */
#define JOB "(Job{%s} | %s | %s)"

void joblog_got(const struct job *job)
{
    log_info("got " JOB, job->queue, job->id, job->class);
}

void joblog_end(const struct job *job, const struct outcome *end)
{
    if (end->kind == OUTCOME_DONE)
        log_info("done " JOB, job->queue, job->id, job->class);
    else if (end->kind == OUTCOME_PUT_BACK)
        log_warn("put back " JOB ": %s", job->queue, job->id, job->class, end->error);
    else
        log_warn("failed " JOB ": %s: %.500s", job->queue, job->id, job->class, end->exception,
                 end->error);
}

void joblog_again(const struct job *job)
{
    log_warn(JOB " is back after its end: Redis lost data; noting its end again", job->queue,
             job->id, job->class);
}

void joblog_lost(const struct job *job)
{
    log_error("ownership of " JOB " was lost: its end is not written", job->queue, job->id,
              job->class);
}

void joblog_left(const struct job *job, const char *worker_id)
{
    log_error("the end of " JOB " could not be written; it stays in the record of %s", job->queue,
              job->id, job->class, worker_id);
}
