/* orders.c - see orders.h. */
#include "manager/orders.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define TIMEOUT 1.0        /* seconds; the manager does nothing else meanwhile */
#define REFUSED_AGAIN 60.0 /* seconds; the rights of a user may be mended while we run */
#define ORDERS_AT_ONCE 100 /* between two looks of the manager at everything else */

void orders_open(struct orders *c, const struct address *address, struct events *events,
                 const char *prefix)
{
    *c = (struct orders){.redis = redis_new(address, events),
                         .events = events,
                         .channel = memory_join(prefix, "lua:control", "")};
}

void orders_close(struct orders *c)
{
    redis_free(c->redis);
    free(c->channel);
    *c = (struct orders){0};
}

/* --- connecting --- */

/* Notes why nobody listens. Only a refusal is worth a warning: what else can be wrong with Redis is
 * told by whoever needs it for jobs. */
static void explain(struct orders *c, const struct redis_reply *reply)
{
    const char *why = reply ? redis_reply_text(reply, NULL) : redis_error(c->redis);
    bool refused = reply && redis_reply_is_error(reply, "NOPERM");
    if (refused && !c->refused)
        log_warn("`resque-lua job ID --kill` does not reach this host: %s (hint: resque-lua(1) "
                 "lists, under REDIS USER, what a Redis user must be allowed to do)",
                 why);
    c->refused = refused;
    c->retry_at = refused ? clock_after(REFUSED_AGAIN) : backoff_next(&c->backoff, BACKOFF_REFUSED);
}

static void connect_orders(struct orders *c)
{
    if (redis_connect(c->redis, clock_after(TIMEOUT)) < 0) {
        c->retry_at = backoff_next(&c->backoff, BACKOFF_CONNECT);
        return;
    }
    struct redis_reply *reply =
        redis_command(c->redis, clock_after(TIMEOUT), "SUBSCRIBE", c->channel);
    if (reply && redis_reply_type(reply) == REDIS_ARRAY) {
        backoff_reset(&c->backoff);
        c->refused = false;
        events_watch(c->events, EVENTS_ORDERS, redis_fd(c->redis), POLLIN);
        c->more = true; /* an order may have come with the answer */
    } else {
        explain(c, reply);
        redis_disconnect(c->redis);
    }
    redis_reply_free(reply);
}

/* --- orders --- */

/* `text` is "kill <token> <worker id>"; anything else is of a later version, and passed over. */
static void obey(const char *text, struct crew *crew)
{
    char token[JOB_TOKEN_SIZE];
    int past = 0;
    _Static_assert(JOB_TOKEN_SIZE == 48, "the width below is one less");
    if (sscanf(text, "kill %47s%n", token, &past) != 1 || text[past] != ' ')
        return;
    if (crew_cancel(crew, text + past + 1, token))
        log_info("passing on the order to end the job of %s", text + past + 1);
}

static void read_orders(struct orders *c, struct crew *crew)
{
    struct redis_reply *message;
    int left = ORDERS_AT_ONCE;
    for (; left && (message = redis_poll(c->redis)); left--) {
        obey(redis_reply_text(redis_reply_at(message, 2), NULL), crew);
        redis_reply_free(message);
    }
    c->more = left == 0;
}

void orders_look(struct orders *c, struct crew *crew)
{
    if (!redis_connected(c->redis)) {
        if (clock_ms() >= c->retry_at)
            connect_orders(c);
        return;
    }
    read_orders(c, crew);
    if (!redis_connected(c->redis)) {
        events_unwatch(c->events, EVENTS_ORDERS);
        c->retry_at = clock_ms();
        c->more = false;
    }
}

int64_t orders_deadline(const struct orders *c)
{
    if (c->more)
        return 0;
    return redis_connected(c->redis) ? CLOCK_NEVER : c->retry_at;
}
