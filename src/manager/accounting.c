/* accounting.c - see accounting.h. */
#include "manager/accounting.h"

#include <stdlib.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/stopat.h"
#include "manager/prune.h"
#include "redis/scripts.h"

#define CONNECT_TIMEOUT 5.0 /* seconds */

struct accounting {
    const struct options *options;
    const struct crew *crew;
    struct redis *redis;
    struct scripts scripts;
    struct prune prune;
    struct backoff backoff;      /* of the connection */
    int64_t connect_at, look_at; /* not before: the next try of Redis; the next look at all */
};

/* --- Redis --- */

static bool connected(struct accounting *a)
{
    if (!redis_connected(a->redis) && clock_ms() < a->connect_at)
        return false;
    if (scripts_connected(&a->scripts, a->crew->stopping ? SCRIPTS_FAREWELL : CONNECT_TIMEOUT))
        return true;
    a->connect_at = backoff_next(&a->backoff, BACKOFF_CONNECT);
    return false;
}

int accounting_reach(struct accounting *a, int64_t *again_at)
{
    const char *hint, *where = redis_where(a->redis);
    const char *why = scripts_reach(&a->scripts, CONNECT_TIMEOUT, &hint);
    *again_at = CLOCK_NEVER;
    if (!why) {
        backoff_reset(&a->backoff);
        return 0;
    }
    if (scripts_will_pass(why)) {
        log_at(a->backoff.seconds > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
               "Redis at %s: %s; waiting until that has passed (hint: %s)", where, why, hint);
        *again_at = backoff_next(&a->backoff, BACKOFF_CONNECT);
        return -1;
    }
    log_error("Redis at %s: %s", where, why);
    log_error("hint: %s", hint);
    return -1;
}

/* --- dead workers --- */

void accounting_owe(struct accounting *a, const struct board_slot *slot)
{
    if (slot->worker_id[0])
        prune_owe(&a->prune, slot->worker_id, slot->nonce, slot->started_token);
    else
        a->look_at = 0; /* it may have registered without telling the board */
}

/* Tells Redis about workers of ours that died; what cannot be told now is told later. */
static void account_for_dead(struct accounting *a)
{
    if (!a->prune.debt_count || clock_ms() < a->connect_at || !connected(a))
        return;
    STOP_AT("account");
    int paid = prune_pay(&a->prune);
    if (paid >= 0) {
        backoff_reset(&a->backoff);
        a->look_at = paid ? 0 : a->look_at;
        STOP_AT("accounted");
        return;
    }
    log_at(a->backoff.seconds > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
           "a worker that died is not accounted for yet: %s", a->scripts.error);
    bool answers = redis_connected(a->redis);
    a->connect_at = backoff_next(&a->backoff, answers ? BACKOFF_REFUSED : BACKOFF_CONNECT);
}

static void look_for_dead(struct accounting *a)
{
    if (clock_ms() < a->look_at || !connected(a))
        return;
    a->look_at = clock_after(a->options->fleet.heartbeat);
    if (prune_look(&a->prune) < 0)
        log_warn("looking for dead workers failed: %s", a->scripts.error);
    else
        backoff_reset(&a->backoff);
}

/* --- the chore --- */

static void *open_accounting(const struct chore_context *context)
{
    const struct options *options = context->options;
    const struct source_context source = {options->scripts.lua_path};
    struct accounting *a = memory_get(sizeof *a);
    *a = (struct accounting){.options = options, .crew = context->crew, .redis = context->redis};
    scripts_open(&a->scripts, a->redis, options->fleet.prefix, &source);
    prune_open(&a->prune, &a->scripts, options->fleet.prune);
    return a;
}

static void look(void *accounting)
{
    account_for_dead(accounting);
    look_for_dead(accounting);
}

static int64_t deadline(const void *accounting)
{
    const struct accounting *a = accounting;
    int64_t until = a->look_at;
    if (!redis_connected(a->redis) && a->connect_at > until)
        until = a->connect_at;
    return a->prune.debt_count ? clock_sooner(until, a->connect_at) : until;
}

/* Tells Redis of dead workers a last time, once more on another connection if the first is lost: a
 * half-open one looks like any other until it is used. */
static void close_accounting(void *accounting)
{
    struct accounting *a = accounting;
    a->scripts.patience = SCRIPTS_FAREWELL;
    for (int tries = 2; tries && a->prune.debt_count; tries--) {
        a->connect_at = 0;
        account_for_dead(a);
    }
    prune_close(&a->prune);
    scripts_close(&a->scripts);
    free(a);
}

const struct chore accounting_chore = {
    .open = open_accounting, .look = look, .deadline = deadline, .close = close_accounting};
