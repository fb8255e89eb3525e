/* joblog.h - writes the log lines about a job: it came, it ended. They never have its arguments. */
#ifndef JOBLOG_H
#define JOBLOG_H

struct job;
struct outcome;
struct reservation;

void joblog_got(const struct job *job);

/* Its end was written. */
void joblog_end(const struct job *job, const struct outcome *outcome);

/* It has crashed and is back in its queue. */
void joblog_requeued(const struct job *job, const struct outcome *outcome);

/* Its record came back after its end. */
void joblog_again(const struct job *job);

/* Redis did not take its end as it was. */
void joblog_shortened(const struct job *job);

/* Its end could not be written: the job was somebody else's by then, or Redis did not take it. */
void joblog_lost(const struct job *job);
void joblog_left(const struct job *job, const char *worker_id);

/* Nothing but a payload that cannot be run was taken, or the worker's record has the job of
 * somebody else. Other answers are no news. */
void joblog_reserved(const struct reservation *got);

#endif
