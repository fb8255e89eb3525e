/* accounting.c - see accounting.h. */
#include "manager/accounting.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stopat.h"

#define CONNECT_TIMEOUT 5.0 /* seconds */

void accounting_open(struct accounting *a, const struct options *options, struct events *events)
{
    const struct source_context source = {options->scripts.lua_path};
    *a = (struct accounting){.options = options, .redis = redis_new(&options->address, events)};
    scripts_open(&a->scripts, a->redis, options->fleet.prefix, &source);
    prune_open(&a->prune, &a->scripts, options->fleet.prune);
}

static bool connected(struct accounting *a, bool leaving)
{
    if (!redis_connected(a->redis) && clock_ms() < a->connect_at)
        return false;
    if (scripts_connected(&a->scripts, leaving ? SCRIPTS_FAREWELL : CONNECT_TIMEOUT))
        return true;
    a->connect_at = backoff_next(&a->backoff, BACKOFF_CONNECT);
    return false;
}

static void pay(struct accounting *a, bool leaving)
{
    if (!a->prune.debt_count || clock_ms() < a->connect_at || !connected(a, leaving))
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

static void look_for_dead(struct accounting *a, bool leaving)
{
    if (clock_ms() < a->look_at || !connected(a, leaving))
        return;
    a->look_at = clock_after(a->options->fleet.heartbeat);
    if (prune_look(&a->prune) < 0)
        log_warn("looking for dead workers failed: %s", a->scripts.error);
    else
        backoff_reset(&a->backoff);
}

void accounting_owe(struct accounting *a, const struct board_slot *slot)
{
    if (slot->worker_id[0])
        prune_owe(&a->prune, slot->worker_id, slot->nonce, slot->started_token);
    else
        a->look_at = 0; /* it may have registered and not come to say so */
}

void accounting_look(struct accounting *a, bool leaving)
{
    pay(a, leaving);
    look_for_dead(a, leaving);
}

int64_t accounting_deadline(const struct accounting *a)
{
    int64_t until = a->look_at;
    if (!redis_connected(a->redis) && a->connect_at > until)
        until = a->connect_at;
    return a->prune.debt_count ? clock_sooner(until, a->connect_at) : until;
}

/* A connection that is half-open looks like any other until it is used; so, where that is lost,
 * once more on another. */
void accounting_close(struct accounting *a, bool leaving)
{
    a->scripts.patience = SCRIPTS_FAREWELL;
    for (int tries = 2; tries && a->prune.debt_count; tries--) {
        a->connect_at = 0;
        pay(a, leaving);
    }
    prune_close(&a->prune);
    scripts_close(&a->scripts);
    redis_free(a->redis);
}
