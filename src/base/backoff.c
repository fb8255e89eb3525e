/* backoff.c - see backoff.h. Jitter keeps a fleet from coming back in step after an outage. */
#include "base/backoff.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"

#define FIRST 0.05

int64_t backoff_next(struct backoff *b, double limit)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
        random = UINT32_MAX;
    b->seconds = b->seconds <= 0 ? FIRST : b->seconds * 2;
    if (b->seconds > limit)
        b->seconds = limit;
    return clock_after(b->seconds * (random / (double)UINT32_MAX));
}

void backoff_reset(struct backoff *b)
{
    b->seconds = 0;
}
