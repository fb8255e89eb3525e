/* session.h - a worker's standing with Redis: connected, registered, alive; and the one wait of a
 * worker, in which it is kept up and signals are heard. Recovery from a Redis that is away, refuses
 * or has forgotten us is all here. */
#ifndef STANDING_H
#define STANDING_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "job/board.h"
#include "options/options.h"
#include "os/events.h"
#include "redis/redis.h"
#include "redis/scripts.h"
#include "worker/registry.h"
#include "worker/wishes.h"

struct standing {
    const struct options *options;
    struct board_slot *slot;
    struct events events;
    struct redis *redis;
    struct scripts scripts;
    struct registry registry;
    bool registered;
    struct wishes wishes;
    struct backoff backoff;
    bool told_gone, told_refused; /* since all was well */
};

/* Prepares; talks to nobody. `queues` is the last part of the worker's id. 0; -1: said in the log.
 */
int standing_open(struct standing *s, const sigset_t *original_mask, const char *queues);

/* Unregisters, on a new connection if need be, unless Redis does not answer, and frees. */
void standing_close(struct standing *s);

/* Waits for signals and, with EVENTS_WAKEUP in `slots`, for the manager; beats in passing. True:
 * woken up. */
bool standing_wait(struct standing *s, unsigned slots, int64_t deadline);

/* Its two parts, for whoever waits for something else: takes the signals that came; sends a sign of
 * life when one is due, which may take a second while Redis is away. */
void standing_hear(struct standing *s);
void standing_beat(struct standing *s);

/* Whether there is a connection, and on it a registered worker. One try; false: it failed, that was
 * said, and a while was waited out. */
bool standing_connected(struct standing *s);
bool standing_ready(struct standing *s);

/* Unknown to the fleet, as a pruner took us for dead or Redis forgot; or somebody else took the
 * name then, and we take another. */
void standing_lose(struct standing *s);

/* Says what is wrong with Redis, once in a row while it is gone and once while it refuses, and
 * waits a while; wakes early for signals. */
void standing_back_off(struct standing *s, const char *doing, const char *why);

/* Redis did what it was asked. */
void standing_went_well(struct standing *s);

#endif
