/* prune.h - accounts for dead workers: their job goes to `failed` (or back, if it never started),
 * their keys go.
 *
 * Dead is: our own worker whose end the manager saw; a resque-lua worker whose lua:proc proves its
 * death; any worker that has beaten and whose heartbeat is older than RESQUE_PRUNE, seen twice.
 * Each removal is one script that first compares what was seen, so any number of pruners may run.
 */
#ifndef PRUNE_H
#define PRUNE_H

#include <stddef.h>
#include <stdint.h>

#include "job/job.h"
#include "redis/scripts.h"

/* A worker of ours whose process ended and that Redis has not been told about yet. */
struct prune_debt {
    char worker_id[WORKER_ID_SIZE];
    char nonce[WORKER_NONCE_SIZE];      /* of the process that ended */
    char started_token[JOB_TOKEN_SIZE]; /* the last job whose code had begun to run; any other is
                                         * put back
                                         */
};

struct prune_seen; /* a stale heartbeat, noted at the last look */

struct prune {
    struct scripts *scripts; /* borrowed */
    char pruner[300];        /* named in the failure: host:pid of the manager */
    double age;              /* seconds without a heartbeat */
    struct prune_seen *seen;
    size_t seen_count;
    struct prune_debt *debts;
    size_t debt_count;
};

void prune_open(struct prune *p, struct scripts *s, double age);
void prune_close(struct prune *p);

/* Notes a dead worker of ours; prune_pay tells Redis of all that were noted. 0; 1: Redis does not
 * know one of them by its note, which the job may have overwritten: a look finds it; -1:
 * scripts->error, try again later. */
void prune_owe(struct prune *p, const char *worker_id, const char *nonce,
               const char *started_token);
int prune_pay(struct prune *p);

/* One look at all workers. 0; -1: scripts->error. */
int prune_look(struct prune *p);

#endif
