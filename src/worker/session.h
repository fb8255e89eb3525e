/* session.h - a worker's session with Redis: connected, registered, heartbeat sent; and the one
 * wait of a worker, in which heartbeats go out and signals are heard. All recovery from a Redis
 * that is away, refuses, or has lost this worker's registration is here. */
#ifndef SESSION_H
#define SESSION_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "os/events.h"
#include "redis/redis.h"
#include "redis/scripts.h"
#include "worker/registry.h"
#include "worker/wishes.h"

struct board_slot;
struct options;

struct session {
    const struct options *options;
    struct board_slot *slot;
    struct events events;
    struct redis *redis;
    struct scripts scripts;
    struct ledger ledger;
    struct registry registry;
    bool registered;
    struct wishes *wishes; /* borrowed: what each wait asks the signals for */
    struct backoff backoff;
    bool told_gone, told_refused; /* since all was well */
};

/* Prepares; talks to nobody. `queues` is the last part of the worker's id. 0; -1: said in the log.
 */
int session_open(struct session *s, const sigset_t *original_mask, const char *queues);

/* Unregisters, on a new connection if need be, unless Redis does not answer, and frees. */
void session_close(struct session *s);

/* Waits for signals and, with EVENTS_WAKEUP in `slots`, for the manager; beats in passing. True:
 * woken up. */
bool session_wait(struct session *s, unsigned slots, int64_t deadline);

/* The two halves of session_wait, for callers that wait for something else: session_hear takes the
 * signals that came; session_beat sends a heartbeat when one is due, which may take a second while
 * Redis is away. */
void session_hear(struct session *s);
void session_beat(struct session *s);

/* Whether there is a connection, and on it a registered worker. One try; false: it failed, that was
 * said, and a while was waited out. */
bool session_connected(struct session *s);
bool session_ready(struct session *s);

/* To be called when Redis says that this worker is not registered: it was pruned, or Redis lost
 * data. The next session_ready registers it again, under another id if the old one is taken. */
void session_lose(struct session *s);

/* Says what is wrong with Redis, once in a row while it is gone and once while it refuses, and
 * waits a while; wakes early for signals. */
void session_back_off(struct session *s, const char *doing, const char *why);

/* Redis did what it was asked. */
void session_went_well(struct session *s);

#endif
