/* child.h - a job's process: started, watched, killed, reaped. Where it comes from is this module's
 * secret. */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "child/isolate.h"
#include "job/deadline.h"
#include "job/job.h"
#include "job/output.h"
#include "job/report.h"
#include "job/usage.h"
#include "options/options.h"
#include "os/events.h"
#include "worker/ladder.h"

struct child {
    pid_t pid;
    int pidfd, report_fd; /* -1: none */
    struct report report;
    struct output *output; /* borrowed */
    bool ended;
    int wait_status; /* valid once ended, as is usage */
    struct usage usage;
    int64_t started_at;
    struct ladder ladder;
    struct deadline deadline;
    bool oom_score_raised; /* the kernel, out of memory, ends it first */
    int64_t read_at; /* from when on report and output are read as they come, not at the end */
};

/* Forks; the process runs the job and reports. `now` is what its title says. 0 (it may have `ended`
 * already, if it could not be watched) or -1 with errno (nothing was started). */
int child_start(struct child *c, const struct child_context *context, const struct job *job,
                const char *now);

/* The same for onFailure of a job whose process died: a short process of its own, killed after 5 s,
 * or at once if there is a hurry. */
int child_on_failure(struct child *c, const struct child_context *context, const struct job *job,
                     const char *exception, const char *message);
void child_hurry(struct child *c);

/* Waits until the process said or did something, a signal came, or the deadline or the ladder's
 * next step is due. */
void child_wait(struct child *c, const struct options *options, struct events *ev,
                int64_t deadline);

/* Begins to end it, unless it has ended; see ladder_begin. */
void child_kill(struct child *c, const struct options *options, enum kill_reason why);

/* Kills and reaps whatever the process left behind, in its group or adopted by us, and frees. */
void child_finish(struct child *c, struct events *ev);

#endif
