/* wakeup.c - see wakeup.h. */
#include "wakeup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "memory.h"

#define TIMEOUT 5.0 /* seconds */
#define CHANNEL "__redis__:invalidate"

int wakeup_open(struct wakeup *w, const struct address *address, struct events *events,
                struct redis *ask, const char *prefix, const char *queues)
{
    char err[256];
    *w = (struct wakeup){.events = events, .ask = ask, .prefix = prefix};
    w->watch = redis_new(address, events);
    return queues_parse(&w->queues, queues, err, sizeof err); /* options checked the list already */
}

void wakeup_close(struct wakeup *w)
{
    redis_free(w->watch);
    queues_clear(&w->queues);
    w->watch = NULL;
}

void wakeup_forget(struct wakeup *w)
{
    if (w->watch)
        redis_forget(w->watch);
}

/* --- connecting --- */

/* Asks for reports of changes to our queue keys, sent to this connection. 0, or -1 with the answer
 * in `why`. */
static int track(struct wakeup *w, char *why, size_t size)
{
    char id[24];
    struct redis_reply *reply = redis_command(w->watch, clock_after(TIMEOUT), "CLIENT", "ID");
    snprintf(id, sizeof id, "%lld", reply ? redis_reply_integer(reply) : 0);
    redis_reply_free(reply);
    char *keys = memory_join(w->prefix, "queue:", "");
    reply = redis_command(w->watch, clock_after(TIMEOUT), "CLIENT", "TRACKING", "ON", "REDIRECT",
                          id, "BCAST", "NOLOOP", "PREFIX", keys);
    free(keys);
    bool on = reply && redis_reply_type(reply) == REDIS_STATUS;
    snprintf(why, size, "%s", reply ? redis_reply_text(reply, NULL) : redis_error(w->watch));
    redis_reply_free(reply);
    if (!on)
        return -1;
    reply = redis_command(w->watch, clock_after(TIMEOUT), "SUBSCRIBE", CHANNEL);
    on = reply && redis_reply_type(reply) == REDIS_ARRAY;
    if (!on)
        snprintf(why, size, "%s", reply ? redis_reply_text(reply, NULL) : redis_error(w->watch));
    redis_reply_free(reply);
    return on ? 0 : -1;
}

static bool connect_watch(struct wakeup *w)
{
    char why[256];
    if (redis_connect(w->watch, clock_after(TIMEOUT)) < 0) {
        w->retry_at = backoff_next(&w->backoff, BACKOFF_CONNECT);
        return false;
    }
    if (track(w, why, sizeof why) < 0) {
        w->unsupported = redis_connected(w->watch);
        if (w->unsupported)
            log_warn("BLOCKING: this Redis does not report changes (%s); workers look each "
                     "INTERVAL instead",
                     why);
        redis_disconnect(w->watch);
        w->retry_at = backoff_next(&w->backoff, BACKOFF_REFUSED);
        return false;
    }
    backoff_reset(&w->backoff);
    w->events->fd[EVENTS_WATCH] = redis_fd(w->watch);
    return true;
}

/* --- reports --- */

/* Jobs in the queue of a key that changed; pops change it too. */
static long count_jobs(struct wakeup *w, const char *key)
{
    size_t skip = strlen(w->prefix) + strlen("queue:");
    if (strlen(key) <= skip || !queues_match(&w->queues, key + skip))
        return 0;
    if (!redis_connected(w->ask)) /* the manager connects it again; meanwhile everybody may look */
        return WAKEUP_ALL;
    struct redis_reply *reply = redis_command(w->ask, clock_after(TIMEOUT), "LLEN", key);
    long jobs = reply ? (long)redis_reply_integer(reply) : WAKEUP_ALL;
    redis_reply_free(reply);
    return jobs;
}

/* A report is ["message", channel, [key…]]; no keys at all after FLUSHALL. */
static long read_message(struct wakeup *w, const struct redis_reply *message)
{
    const struct redis_reply *keys = redis_reply_at(message, 2);
    long jobs = 0;
    for (size_t i = 0; i < redis_reply_count(keys); i++)
        jobs += count_jobs(w, redis_reply_text(redis_reply_at(keys, i), NULL));
    return jobs;
}

long wakeup_look(struct wakeup *w, bool anybody_idle)
{
    if (w->unsupported)
        return 0;
    if (!redis_connected(w->watch)) {
        w->events->fd[EVENTS_WATCH] = -1;
        return clock_ms() >= w->retry_at && connect_watch(w) ? WAKEUP_ALL : 0;
    }
    long jobs = 0;
    for (struct redis_reply *message; (message = redis_poll(w->watch));) {
        jobs += anybody_idle ? read_message(w, message) : 0;
        redis_reply_free(message);
    }
    if (!redis_connected(w->watch)) {
        w->events->fd[EVENTS_WATCH] = -1;
        w->retry_at = clock_ms();
    }
    return jobs;
}

int64_t wakeup_deadline(const struct wakeup *w)
{
    return w->unsupported || redis_connected(w->watch) ? CLOCK_NEVER : w->retry_at;
}
