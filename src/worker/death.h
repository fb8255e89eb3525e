/* death.h - everything that is known of a job's process that has ended: what it reported, what it
 * noted on the board, how the kernel says it ended, and why its worker ended it. Made once by
 * death_account and never changed: verdict.c and resting.c decide by it. */
#ifndef DEATH_H
#define DEATH_H

#include <stdbool.h>
#include <stdint.h>

#include "job/limit.h"
#include "job/report.h"
#include "job/usage.h"
#include "options/options.h"
#include "worker/kill_reason.h"

struct board_slot;
struct child;
struct job;

struct death {
    const struct report *report; /* borrowed from the child */
    bool started;                /* the job's code may have run: by the report, or by the board */
    struct job_policy policy;    /* the job table's own, where the report had it */
    int wait_status;             /* in wait's terms */
    struct usage usage;
    enum kill_reason reason;
    double seconds;    /* of the limit that `reason` names */
    enum limit raised; /* its error was raised in the job shortly before the end */
};

/* For a child that has `ended` and is not finished yet. */
void death_account(struct death *death, const struct child *child, const struct job *job,
                   const struct board_slot *slot, const struct options *options);

/* Whether the process came to its end before the job's code ran, and nobody wanted that. */
bool death_was_early(const struct death *death);

#endif
