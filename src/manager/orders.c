/* orders.c - see orders.h. */
#include "manager/orders.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#define TIMEOUT 1.0        /* seconds; the manager does nothing else meanwhile */
#define REFUSED_AGAIN 60.0 /* seconds; the rights of a user may be mended while we run */
#define ORDERS_AT_ONCE 100 /* between two looks of the manager at everything else */

struct orders {
    struct redis *redis; /* the subscribed connection; owned */
    struct events *events;
    struct crew *crew;
    char *channel; /* owned */
    struct backoff backoff;
    int64_t retry_at; /* not before: the next try to connect */
    bool refused;     /* this user may not subscribe: said once */
    bool more;        /* orders are left that came already */
};

/* --- connecting --- */

/* Notes why orders are not heard. Only a refusal is worth a warning: other trouble with Redis is
 * logged where jobs need it. */
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

static void read_orders(struct orders *c)
{
    struct redis_reply *message;
    int left = ORDERS_AT_ONCE;
    for (; left && (message = redis_poll(c->redis)); left--) {
        obey(redis_reply_text(redis_reply_at(message, 2), NULL), c->crew);
        redis_reply_free(message);
    }
    c->more = left == 0;
}

/* --- the chore --- */

static void *open_orders(const struct chore_context *context)
{
    const struct options *options = context->options;
    struct orders *c = memory_get(sizeof *c);
    *c = (struct orders){.redis = redis_new(&options->address, context->events),
                         .events = context->events,
                         .crew = context->crew,
                         .channel = memory_join(options->fleet.prefix, "lua:control", "")};
    return c;
}

/* Connects if it is time to; passes on the orders that came. */
static void look(void *orders)
{
    struct orders *c = orders;
    if (!redis_connected(c->redis)) {
        if (clock_ms() >= c->retry_at)
            connect_orders(c);
        return;
    }
    read_orders(c);
    if (!redis_connected(c->redis)) {
        events_unwatch(c->events, EVENTS_ORDERS);
        c->retry_at = clock_ms();
        c->more = false;
    }
}

static int64_t deadline(const void *orders)
{
    const struct orders *c = orders;
    if (c->more)
        return 0;
    return redis_connected(c->redis) ? CLOCK_NEVER : c->retry_at;
}

static void close_orders(void *orders)
{
    struct orders *c = orders;
    redis_free(c->redis);
    free(c->channel);
    free(c);
}

const struct chore orders_chore = {.slots = EVENTS_BIT(EVENTS_ORDERS),
                                   .open = open_orders,
                                   .look = look,
                                   .deadline = deadline,
                                   .close = close_orders};
