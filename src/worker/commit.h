/* commit.h - writes how a job ended into Redis: done.lua, fail.lua or unreserve.lua, each of which
 * acts only while the record has this job's token. */
#ifndef COMMIT_H
#define COMMIT_H

#include <stdbool.h>

struct job;
struct outcome;
struct reserve;
struct scripts;

enum commit_result {
    COMMIT_WRITTEN,  /* now, or already by an earlier try */
    COMMIT_REQUEUED, /* the same, and the crashed job is back in its queue */
    COMMIT_LOST,     /* somebody else accounted for the job: we are not registered any more */
    COMMIT_TROUBLE,  /* unknown or refused: scripts->error; try again */
};

/* Compare-and-act on the job's token. A job that has crashed too often becomes one that failed.
 * With `next_token`, the same trip reserves the next job, see reserve_take; NULL: none is wanted.
 */
enum commit_result commit_outcome(struct outcome *outcome, struct scripts *s, const char *worker_id,
                                  const struct job *job, struct reserve *reserve,
                                  const char *next_token);

/* After a try that went wrong: whether this Redis does not take so long an outcome, which is
 * shortened then. It says so; or the connection is closed each time, without a word (that is how it
 * keeps to client-query-buffer-limit): `cuts` counts these, from 0. */
bool commit_shorten(struct outcome *outcome, const struct scripts *s, int *cuts);

#endif
