/* orders.h - orders from any machine: one connection of the manager, subscribed to
 * <prefix>lua:control.
 *
 * The one order there is, "kill <token> <worker id>" (ids may hold blanks), ends the job with that
 * token: it goes to the board, and the worker whose job it is compares. An order that nobody hears
 * is lost; whoever gave it sees that nothing happened and gives it again. So losing the connection
 * harms nothing, and a silent one costs Redis nothing. */
#ifndef ORDERS_H
#define ORDERS_H

#include <stdbool.h>

#include "base/backoff.h"
#include "manager/crew.h"
#include "redis/redis.h"

struct orders {
    struct redis *redis; /* the subscribed connection; owned */
    struct events *events;
    char *channel; /* owned */
    struct backoff backoff;
    int64_t retry_at; /* not before: the next try to connect */
    bool refused;     /* this user may not subscribe: said once */
    bool more;        /* orders are left that came already */
};

/* Talks to nobody yet. */
void orders_open(struct orders *c, const struct address *address, struct events *events,
                 const char *prefix);
void orders_close(struct orders *c);

/* Connects if it is time to; passes on the orders that came. */
void orders_look(struct orders *c, struct crew *crew);

/* When orders_look wants to be called at the latest although EVENTS_ORDERS is silent. */
int64_t orders_deadline(const struct orders *c);

#endif
