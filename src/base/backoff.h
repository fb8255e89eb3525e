/* backoff.h - times to try something again: 50 ms doubling to 5 s, with full jitter, for ever. */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

struct backoff {
    double seconds; /* upper bound of the next wait; 0: nothing failed yet */
};

/* The two limits, in seconds. A connection is tried often, so that the next job starts soon after
 * Redis is back; longer pauses are for a server that answers with an error and for a worker that
 * keeps dying. */
#define BACKOFF_CONNECT 0.4
#define BACKOFF_REFUSED 5.0

/* When to try again (clock_ms()); each call without a reset waits longer, up to `limit` seconds. */
int64_t backoff_next(struct backoff *b, double limit);
void backoff_reset(struct backoff *b);

#endif
