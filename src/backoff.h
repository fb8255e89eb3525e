/* backoff.h - how long to wait before trying again: 50 ms doubling to 5 s, full jitter, for ever.
 */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

struct backoff {
    double seconds; /* upper bound of the next wait; 0: nothing failed yet */
};

/* When to try again (clock_ms()); each call without a reset waits longer. */
int64_t backoff_next(struct backoff *b);
void backoff_reset(struct backoff *b);

#endif
