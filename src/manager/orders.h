/* orders.h - orders from any machine: one connection of the manager, subscribed to
 * <prefix>lua:control.
 *
 * The one order there is, "kill <token> <worker id>" (ids may hold blanks), ends the job with that
 * token: it goes to the board, and the worker whose job it is compares. An order that nobody hears
 * is lost; whoever gave it sees that nothing happened and gives it again. So losing the connection
 * harms nothing, and a silent one costs Redis nothing. */
#ifndef ORDERS_H
#define ORDERS_H

#include "manager/chore.h"

extern const struct chore orders_chore;

#endif
