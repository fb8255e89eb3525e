/* wakeup.h - BLOCKING: one connection per host that sees pushes and calls idle workers. It never
 * takes a job, so it cannot lose one; polling each INTERVAL stays as the guarantee.
 *
 * Redis (6 and later) is asked to report changes of queue keys (CLIENT TRACKING, broadcast,
 * redirected to this very connection, which RESP2 delivers as a subscription). */
#ifndef WAKEUP_H
#define WAKEUP_H

#include "manager/chore.h"

extern const struct chore wakeup_chore;

#endif
