/* session.c - see session.h. */
#include "worker/session.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stopat.h"
#include "job/board.h"
#include "options/options.h"
#include "worker/wishes.h"

#define CONNECT_TIMEOUT 5.0 /* seconds */
#define BEAT_TIMEOUT 1.0    /* seconds; a job's end or a signal may have to wait for it */

/* --- waiting --- */

void session_hear(struct session *s)
{
    wishes_take(s->wishes, &s->events, s->options);
    wishes_insist(s->wishes, atomic_load(&s->slot->insists));
}

/* Sends a heartbeat that is due; opens another connection where that is gone, as nothing else
 * notices it during a long job or pause. */
void session_beat(struct session *s)
{
    if (clock_ms() < s->registry.heartbeat_at)
        return;
    if (registry_beat(&s->registry) < 0 && redis_connect(s->redis, clock_after(BEAT_TIMEOUT)) == 0)
        registry_beat(&s->registry);
}

bool session_wait(struct session *s, unsigned slots, int64_t deadline)
{
    deadline = events_deadline(&s->events, clock_sooner(deadline, s->registry.heartbeat_at));
    unsigned seen = events_wait(&s->events, slots, deadline);
    session_hear(s);
    session_beat(s);
    return (seen & EVENTS_BIT(EVENTS_WAKEUP)) && events_drain(&s->events, EVENTS_WAKEUP);
}

void session_back_off(struct session *s, const char *doing, const char *why)
{
    bool answers = redis_connected(s->redis);
    bool *told = answers ? &s->told_refused : &s->told_gone;
    const char *hint = redis_hint(REDIS_FINE, why);
    log_at(*told ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, "%s at %s failed: %s; trying again%s%s%s",
           doing, redis_where(s->redis), why, hint ? " (hint: " : "", hint ? hint : "",
           hint ? ")" : "");
    *told = true;
    int64_t until = backoff_next(&s->backoff, answers ? BACKOFF_REFUSED : BACKOFF_CONNECT);
    int leave = s->wishes->leave;
    while (clock_ms() < until && (int)s->wishes->leave == leave)
        session_wait(s, 0, until);
}

void session_went_well(struct session *s)
{
    if (s->backoff.seconds > 0)
        log_notice("Redis at %s works again", redis_where(s->redis));
    backoff_reset(&s->backoff);
    s->told_gone = s->told_refused = false;
}

/* --- connected, registered --- */

bool session_connected(struct session *s)
{
    if (!scripts_connected(&s->scripts, CONNECT_TIMEOUT)) {
        session_back_off(s, "connecting to Redis", redis_error(s->redis));
        return false;
    }
    return true;
}

static bool registered(struct session *s)
{
    if (s->registered)
        return true;
    STOP_AT("register");
    if (registry_register(&s->registry) < 0) {
        session_back_off(s, "registering", s->scripts.error);
        return false;
    }
    STOP_AT("registered");
    memcpy(s->slot->worker_id, s->registry.id, sizeof s->slot->worker_id);
    log_set_worker(s->registry.id);
    log_notice("Starting worker %s", s->registry.id);
    return s->registered = true;
}

bool session_ready(struct session *s)
{
    return session_connected(s) && registered(s);
}

void session_lose(struct session *s)
{
    log_warn("worker %s is not registered any more (pruned, or Redis lost data); registering again",
             s->registry.id);
    s->registered = false;
}

/* --- from start to end --- */

int session_open(struct session *s, const sigset_t *original_mask, const char *queues)
{
    const struct options *options = s->options;
    const struct source_context source = {options->scripts.lua_path};
    if (events_open(&s->events, original_mask, false) < 0) {
        log_error("cannot listen for signals: signalfd: %s", strerror(errno));
        return -1;
    }
    s->redis = redis_new(&options->address, &s->events);
    scripts_open(&s->scripts, s->redis, options->fleet.prefix, &source);
    if (ledger_open(&s->ledger) < 0) {
        log_error("cannot give this process a name: getrandom: %s", strerror(errno));
        return -1;
    }
    registry_open(&s->registry, &s->scripts, &s->ledger, options, queues);
    memcpy(s->slot->nonce, s->ledger.nonce, sizeof s->slot->nonce);
    return 0;
}

/* Unregisters, once more on another connection if the first is lost: a half-open one looks like any
 * other until it is used. Unregistering twice does no harm. 0, or -1: scripts.error. */
static int unregister(struct session *s)
{
    int result = -1;
    s->scripts.patience = SCRIPTS_FAREWELL;
    for (int tries = 2; tries && result < 0; tries--) {
        scripts_connected(&s->scripts, SCRIPTS_FAREWELL);
        bool connected = redis_connected(s->redis);
        result = registry_unregister(&s->registry);
        if (!connected || redis_connected(s->redis))
            break;
    }
    return result;
}

void session_close(struct session *s)
{
    STOP_AT("unregister");
    if (s->registered && unregister(s) < 0)
        log_warn("worker %s could not be unregistered: %s", s->registry.id, s->scripts.error);
    else
        s->slot->worker_id[0] = '\0';
    ledger_close(&s->ledger);
    scripts_close(&s->scripts);
    redis_free(s->redis);
    events_close(&s->events);
}
