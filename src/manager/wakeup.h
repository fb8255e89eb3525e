/* wakeup.h - BLOCKING: one connection per host that sees pushes and calls idle workers. It never
 * takes a job, so it cannot lose one; polling each INTERVAL stays as the guarantee.
 *
 * Redis (6 and later) is asked to report changes of queue keys (CLIENT TRACKING, broadcast,
 * redirected to this very connection, which RESP2 delivers as a subscription). */
#ifndef WAKEUP_H
#define WAKEUP_H

#include <stdbool.h>

#include "base/backoff.h"
#include "job/queues.h"
#include "redis/redis.h"

#define WAKEUP_KEYS 64 /* told apart in one look; more: everybody is called */

struct wakeup {
    struct redis *watch; /* the subscribed connection; owned */
    struct redis *ask;   /* for LLEN; borrowed, shared with the manager's scripts */
    int64_t ask_at;      /* not before: it is connected again for that */
    struct events *events;
    const char *prefix;
    struct queues queues;       /* which changes matter */
    char *changed[WAKEUP_KEYS]; /* keys reported in the look that is under way */
    size_t changed_count;
    bool more; /* reports are left that came already */
    struct backoff backoff;
    int64_t retry_at;
    bool unsupported; /* this server cannot do it: said once, workers poll */
};

int wakeup_open(struct wakeup *w, const struct address *address, struct events *events,
                struct redis *ask, const char *prefix, const char *queues);
void wakeup_close(struct wakeup *w);

/* Connects if it is time to. Returns how many jobs may be waiting: 0, a number, or WAKEUP_ALL when
 * something may have been missed. With nobody idle the reports are only thrown away. */
#define WAKEUP_ALL 1000000L
long wakeup_look(struct wakeup *w, bool anybody_idle);

/* When wakeup_look wants to be called at the latest although EVENTS_WATCH is silent. */
int64_t wakeup_deadline(const struct wakeup *w);

#endif
