/* deadline.c - see deadline.h. */
#include "job/deadline.h"

#include "base/clock.h"

#define LONGEST 1e9 /* seconds; a longer time is none */

void deadline_set(struct deadline *d, const struct report *report, const struct options *options)
{
    double seconds = report->started ? 0 : DEADLINE_LOAD;
    if (options->limits.timeout > 0)
        seconds = options->limits.timeout;
    if (report->policy.timeout > 0)
        seconds = report->policy.timeout;
    bool limited = d->from && seconds > 0 && seconds <= LONGEST;
    d->seconds = seconds;
    d->at = limited ? d->from + (int64_t)(seconds * 1000) : CLOCK_NEVER;
}
