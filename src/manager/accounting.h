/* accounting.h - the manager's duty to account for dead workers: its connection to Redis, when to
 * try it again, and when to look at the whole fleet. What a death means is prune.h's. */
#ifndef ACCOUNTING_H
#define ACCOUNTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "job/board.h"
#include "manager/prune.h"
#include "options/options.h"
#include "os/events.h"
#include "redis/redis.h"
#include "redis/scripts.h"

struct accounting {
    const struct options *options;
    struct redis *redis; /* owned */
    struct scripts scripts;
    struct prune prune;
    struct backoff backoff; /* of the connection */
    int64_t connect_at;     /* not before: the next try of Redis */
    int64_t look_at;        /* not before: the next look at the fleet */
};

/* Talks to nobody yet. All arguments are borrowed. */
void accounting_open(struct accounting *a, const struct options *options, struct events *events);

/* Tells Redis of the dead workers that it does not know of, with two tries, and frees. */
void accounting_close(struct accounting *a, bool leaving);

/* Notes that the worker of this slot has died. */
void accounting_owe(struct accounting *a, const struct board_slot *slot);

/* Tells Redis of workers of ours that died, and looks at the fleet where that is due. What cannot
 * be told now is told later. A manager that is `leaving` waits for Redis only for a moment. */
void accounting_look(struct accounting *a, bool leaving);

/* When accounting_look is to be called again; CLOCK_NEVER. */
int64_t accounting_deadline(const struct accounting *a);

#endif
