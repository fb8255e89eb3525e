/* wakeup.c - see wakeup.h. */
#include "manager/wakeup.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "job/queues.h"

#define TIMEOUT 5.0     /* seconds */
#define ASK_TIMEOUT 1.0 /* seconds to connect again for a question; and between two such tries */
#define CHANNEL "__redis__:invalidate"
#define REPORTS_AT_ONCE 1000 /* between two looks of the manager at everything else */

#define KEYS 64      /* told apart in one look; more: everybody is called */
#define ALL 1000000L /* jobs that there may be when something may have been missed */

struct wakeup {
    struct redis *watch; /* the subscribed connection; owned */
    struct redis *ask;   /* for LLEN; the manager's own */
    int64_t ask_at;      /* not before: it is connected again for that */
    struct events *events;
    struct crew *crew;
    const char *prefix;
    struct queues queues; /* which changes matter */
    char *changed[KEYS];  /* keys reported in the look that is under way */
    size_t changed_count;
    bool more; /* reports are left that came already */
    struct backoff backoff;
    int64_t retry_at;
    bool unsupported; /* this server cannot do it: said once, workers poll */
};

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
    events_watch(w->events, EVENTS_WATCH, redis_fd(w->watch), POLLIN);
    return true;
}

/* --- reports --- */

/* Notes the key of a queue of ours. Returns false if there is no room for it. */
static bool note_key(struct wakeup *w, const char *key)
{
    size_t skip = strlen(w->prefix) + strlen("queue:");
    if (strlen(key) <= skip || !queues_match(&w->queues, key + skip))
        return true;
    for (size_t i = 0; i < w->changed_count; i++)
        if (strcmp(w->changed[i], key) == 0)
            return true;
    if (w->changed_count == KEYS)
        return false;
    w->changed[w->changed_count++] = memory_copy(key, strlen(key));
    return true;
}

/* Notes the keys of a report: ["message", channel, [key…]]; no keys at all after FLUSHALL. */
static bool note_keys(struct wakeup *w, const struct redis_reply *message)
{
    const struct redis_reply *keys = redis_reply_at(message, 2);
    bool room = true;
    for (size_t i = 0; i < redis_reply_count(keys); i++)
        room = note_key(w, redis_reply_text(redis_reply_at(keys, i), NULL)) && room;
    return room;
}

/* Whether Redis can be asked; connects again, as the connection may have been closed since last. */
static bool can_ask(struct wakeup *w)
{
    if (redis_usable(w->ask))
        return true;
    if (clock_ms() < w->ask_at)
        return false;
    w->ask_at = clock_after(ASK_TIMEOUT);
    return redis_connect(w->ask, clock_after(ASK_TIMEOUT)) == 0;
}

/* Jobs in the queue of a key that changed; pops change it too. */
static long count_jobs(struct wakeup *w, const char *key)
{
    if (!can_ask(w)) /* then everybody may look */
        return ALL;
    struct redis_reply *reply = redis_command(w->ask, clock_after(TIMEOUT), "LLEN", key);
    long jobs = reply ? (long)redis_reply_integer(reply) : ALL;
    redis_reply_free(reply);
    return jobs;
}

/* Reads the reports that came, REPORTS_AT_ONCE at most: pushes may come faster than they are read.
 * Returns how many jobs there may be. */
static long read_reports(struct wakeup *w, bool anybody_idle)
{
    struct redis_reply *message;
    bool room = true;
    int left = REPORTS_AT_ONCE;
    for (; left && (message = redis_poll(w->watch)); left--) {
        if (anybody_idle)
            room = note_keys(w, message) && room;
        redis_reply_free(message);
    }
    w->more = left == 0;
    long jobs = room ? 0 : ALL;
    for (; w->changed_count; w->changed_count--) {
        char *key = w->changed[w->changed_count - 1];
        jobs += count_jobs(w, key);
        free(key);
    }
    return jobs;
}

/* Connects if it is time to. Returns how many jobs may be waiting. With nobody idle the reports are
 * only thrown away. */
static long jobs_reported(struct wakeup *w, bool anybody_idle)
{
    if (w->unsupported)
        return 0;
    if (!redis_connected(w->watch)) {
        events_unwatch(w->events, EVENTS_WATCH);
        return clock_ms() >= w->retry_at && connect_watch(w) ? ALL : 0;
    }
    long jobs = read_reports(w, anybody_idle);
    if (!redis_connected(w->watch)) {
        events_unwatch(w->events, EVENTS_WATCH);
        w->retry_at = clock_ms();
        w->more = false;
    }
    return jobs;
}

/* --- the chore --- */

static void *open_wakeup(const struct chore_context *context)
{
    const struct options *options = context->options;
    char err[256];
    if (!options->work.blocking)
        return NULL;
    if (options->work.interval <= 0) {
        log_warn("BLOCKING is ignored: INTERVAL=0 means to leave when the queues are empty");
        return NULL;
    }
    struct wakeup *w = memory_get(sizeof *w);
    *w = (struct wakeup){.events = context->events,
                         .ask = context->redis,
                         .crew = context->crew,
                         .prefix = options->fleet.prefix};
    w->watch = redis_new(&options->address, w->events);
    queues_parse(&w->queues, options->work.queues, err,
                 sizeof err); /* options checked it already */
    return w;
}

static void look(void *wakeup)
{
    struct wakeup *w = wakeup;
    crew_wake(w->crew, jobs_reported(w, crew_any_idle(w->crew)));
}

static int64_t deadline(const void *wakeup)
{
    const struct wakeup *w = wakeup;
    if (w->more)
        return 0;
    return w->unsupported || redis_connected(w->watch) ? CLOCK_NEVER : w->retry_at;
}

static void close_wakeup(void *wakeup)
{
    struct wakeup *w = wakeup;
    redis_free(w->watch);
    queues_clear(&w->queues);
    free(w);
}

const struct chore wakeup_chore = {.slots = EVENTS_BIT(EVENTS_WATCH),
                                   .open = open_wakeup,
                                   .look = look,
                                   .deadline = deadline,
                                   .close = close_wakeup};
