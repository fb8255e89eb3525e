/* deadline.h - when a job's time is up: its table's `timeout`, else JOB_TIMEOUT, counted from the
 * start of its process. Loading APP_INCLUDE has a limit in any case. The clock and what happens
 * then are the caller's (child.c). */
#ifndef DEADLINE_H
#define DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "job/report.h"
#include "options/options.h"

/* The longest that APP_INCLUDE may take to load where JOB_TIMEOUT does not say it. Seconds. */
#define DEADLINE_LOAD 60.0

struct deadline {
    int64_t from;   /* clock_ms at the start; 0: this is no job, there is no limit */
    int64_t at;     /* CLOCK_NEVER: no limit */
    double seconds; /* valid with `at` */
};

/* Sets it by what the job has reported so far. */
void deadline_set(struct deadline *d, const struct report *report, const struct options *options);

#endif
