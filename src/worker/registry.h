/* registry.h - this worker's place in the fleet: its id, its heartbeat, the tokens it gives out,
 * and the outcomes of the last jobs it finished (a record that reappears after a Redis rollback is
 * committed again, not run again). */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdint.h>

#include "job/job.h"
#include "job/outcome.h"
#include "options/options.h"
#include "os/identity.h"
#include "redis/scripts.h"

#define REGISTRY_REMEMBERED 64

struct registry {
    struct scripts *scripts; /* borrowed */
    char host[256];
    const char *queues;      /* the id's last part; borrowed */
    char id[WORKER_ID_SIZE]; /* host:pid:queues, or host~2:pid:queues where that was taken */
    struct identity identity;
    char nonce[WORKER_NONCE_SIZE]; /* of all tokens of this process, which it names for ever */
    uint64_t given;                /* number of the newest token */
    uint64_t committed;            /* number of the newest token that was finished or given up */
    int requeue;   /* what the worker does for jobs that crash, for whoever finds it dead */
    double period; /* seconds between heartbeats */
    int64_t heartbeat_at;
    struct outcome remembered[REGISTRY_REMEMBERED]; /* by number modulo; long texts are not kept */
    uint64_t remembered_number[REGISTRY_REMEMBERED];
};

/* Prepares; talks to nobody. 0 or -1 with errno: no randomness. */
int registry_open(struct registry *r, struct scripts *s, const struct options *options,
                  const char *queues);
void registry_close(struct registry *r);

/* Takes an id nobody has. 0, or -1: scripts->error. */
int registry_register(struct registry *r);
/* Removes the worker; a job that slipped into its record meanwhile is put back. 0, or -1:
 * scripts->error. */
int registry_unregister(struct registry *r);

/* Sends a heartbeat, whose reply is dropped; heartbeat_at says when the next is due. 0, or -1: not
 * connected, or not any more. */
int registry_beat(struct registry *r);

/* A new token. */
void registry_token(struct registry *r, char token[JOB_TOKEN_SIZE]);

/* A job's end could not be written. If the job has run, registry_unregister then leaves the record
 * to whoever accounts for this worker; it puts back what it finds else. */
void registry_give_up(struct registry *r, const struct job *job, const struct outcome *outcome);

/* Notes how a job was finished; asks for it later. NULL: not among the last ones. */
void registry_remember(struct registry *r, const struct job *job, const struct outcome *outcome);
const struct outcome *registry_recall(const struct registry *r, const struct job *job);

#endif
