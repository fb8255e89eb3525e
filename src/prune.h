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

#include "scripts.h"

/* A worker of ours that ended, as the board had it. */
struct prune_own {
    const char *worker_id, *identity, *started;
};

/* 0: accounted for (or nothing was left to do); -1: scripts->error, try again later. */
int prune_own(struct scripts *s, const struct prune_own *dead, const char *pruner);

struct prune_seen; /* a stale heartbeat, noted at the last look */

struct prune {
    struct scripts *scripts; /* borrowed */
    char pruner[300];        /* named in the failure: host:pid of the manager */
    double age;              /* seconds without a heartbeat */
    struct prune_seen *seen;
    size_t seen_count;
};

void prune_open(struct prune *p, struct scripts *s, double age);
void prune_close(struct prune *p);

/* One look at all workers. 0; -1: scripts->error. */
int prune_look(struct prune *p);

#endif
