/* accounting.h - Redis learns of dead workers: of ours as soon as they end, of others by a look at
 * all workers once in RESQUE_HEARTBEAT. What cannot be told is told later; prune.h says how. */
#ifndef ACCOUNTING_H
#define ACCOUNTING_H

#include "job/board.h"
#include "manager/chore.h"

struct accounting;

extern const struct chore accounting_chore; /* its `open` gives a struct accounting */

/* Connects to Redis and checks that it lets this program do what it must, before anything else is
 * asked of it. 0; -1: the log says why, and *again_at is when to try again if the trouble passes by
 * itself, else CLOCK_NEVER. */
int accounting_reach(struct accounting *a, int64_t *again_at);

/* Notes the worker of this slot, whose process has ended: the next look tells Redis. */
void accounting_owe(struct accounting *a, const struct board_slot *slot);

#endif
