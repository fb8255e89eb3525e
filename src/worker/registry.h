/* registry.h - a worker's registration in the fleet: its id, and its heartbeat. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdint.h>

#include "options/options.h"
#include "os/identity.h"
#include "redis/scripts.h"
#include "worker/ledger.h"

struct registry {
    struct scripts *scripts; /* borrowed */
    char host[256];
    const char *queues;      /* the id's last part; borrowed */
    char id[WORKER_ID_SIZE]; /* host:pid:queues, or host~2:pid:queues where that was taken */
    struct identity identity;
    const struct ledger *ledger; /* borrowed: the nonce of its tokens, which of them are finished */
    int requeue;   /* what the worker does for jobs that crash, for whoever finds it dead */
    double period; /* seconds between heartbeats */
    int64_t heartbeat_at;
};

/* Prepares; talks to nobody. `queues`, the last part of the id, is borrowed, as all else. */
void registry_open(struct registry *r, struct scripts *s, const struct ledger *ledger,
                   const struct options *options, const char *queues);

/* Registers under an id that nobody has. 0, or -1: scripts->error. */
int registry_register(struct registry *r);
/* Removes the worker; a job that slipped into its record meanwhile is put back, unless the ledger
 * has its token as committed: then the record stays, for whoever accounts for this worker. 0, or
 * -1: scripts->error. */
int registry_unregister(struct registry *r);

/* Sends a heartbeat, whose reply is dropped; heartbeat_at says when the next is due. 0, or -1: not
 * connected, or not any more. */
int registry_beat(struct registry *r);

#endif
