/* joblog.c - see joblog.h. */
#include "worker/joblog.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "job/job.h"
#include "job/outcome.h"
#include "worker/reserve.h"

#define USED_SIZE 128

/* php-resque's words for a job, as people's log searches know them. */
#define JOB "(Job{%s} | %s | %s)"

void joblog_got(const struct job *job)
{
    log_info("got " JOB, job->queue, job->id, job->class);
}

/* " in 12 ms (3 ms CPU, 2.1 MB)", and the same for readers of JSON lines. "" without a process. */
static const char *used(const struct usage *u, char text[static USED_SIZE],
                        char members[static USED_SIZE])
{
    text[0] = '\0';
    if (!u->known)
        return text;
    snprintf(text, USED_SIZE, " in %" PRId64 " ms (%" PRId64 " ms CPU, %.1f MB)", u->wall_ms,
             u->cpu_ms, (double)u->peak_kb / 1024);
    snprintf(members, USED_SIZE,
             "\"wall_ms\":%" PRId64 ",\"cpu_ms\":%" PRId64 ",\"peak_kb\":%" PRId64, u->wall_ms,
             u->cpu_ms, u->peak_kb);
    log_set_members(members);
    return text;
}

void joblog_end(const struct job *job, const struct outcome *outcome)
{
    char text[USED_SIZE], members[USED_SIZE];
    const char *how = used(&outcome->usage, text, members);
    if (outcome->kind == OUTCOME_DONE)
        log_info("done " JOB "%s", job->queue, job->id, job->class, how);
    else if (outcome->kind == OUTCOME_PUT_BACK)
        log_at(outcome->quiet ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "put back " JOB "%s: %s",
               job->queue, job->id, job->class, how, outcome->error);
    else
        log_warn("failed " JOB "%s: %s: %.500s", job->queue, job->id, job->class, how,
                 outcome->exception, outcome->error);
    log_set_members(NULL);
}

void joblog_requeued(const struct job *job, const struct outcome *outcome)
{
    char text[USED_SIZE], members[USED_SIZE];
    const char *how = used(&outcome->usage, text, members);
    log_warn("put back " JOB "%s: %.500s (crash %d; %d are forgiven)", job->queue, job->id,
             job->class, how, outcome->error, job->attempts + 1, outcome->requeue);
    log_set_members(NULL);
}

void joblog_again(const struct job *job)
{
    log_warn(JOB " is back after its end: Redis lost data; noting its end again", job->queue,
             job->id, job->class);
}

void joblog_shortened(const struct job *job)
{
    log_error("the end of " JOB " is longer than Redis takes: its result is left out, its texts "
              "are cut (hint: client-query-buffer-limit and proto-max-bulk-len in redis.conf)",
              job->queue, job->id, job->class);
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

void joblog_reserved(const struct reservation *got)
{
    if (got->answer == RESERVE_REJECTED)
        log_warn("(Job{%s}) a payload that cannot be run is in the failed list: %s", got->queue,
                 got->why);
    else if (got->answer == RESERVE_CONFLICT)
        log_error("the record of this worker is held by another worker (token %s)", got->why);
}
