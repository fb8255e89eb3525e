/* child.h - a job's process: started, watched, killed, reaped. Where it comes from is this module's
 * secret. */
#ifndef CHILD_H
#define CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "job/deadline.h"
#include "job/job.h"
#include "job/output.h"
#include "job/report.h"
#include "job/usage.h"
#include "child/job_state.h"
#include "options/options.h"
#include "os/confine.h"
#include "os/events.h"
#include "redis/redis.h"

struct child {
    pid_t pid;
    int pidfd, report_fd; /* -1: none */
    struct report report;
    struct output *output; /* borrowed */
    bool ended;
    int wait_status; /* valid once ended, as is usage */
    struct usage usage;
    int64_t started_at;
    const char *killed_for; /* why we kill it ("SIGUSR1"); NULL: we do not */
    enum { KILL_NOTHING, KILL_TERM_NEXT, KILL_KILL_NEXT, KILL_DONE } ladder;
    int64_t kill_at;  /* when the ladder's next step is due; CLOCK_NEVER */
    atomic_int *told; /* borrowed: on the board, for the process to see */
    double grace;     /* seconds from its TERM to its KILL */
    struct deadline deadline;
    bool timed_out;        /* the deadline has passed */
    char limit_text[48];   /* "its time limit of 30 s": killed_for may point here */
    bool oom_score_raised; /* the kernel, out of memory, ends it first */
    int64_t read_at; /* from when on report and output are read as they come, not at the end */
};

/* What the new process must let go of and may use. */
struct child_context {
    const struct options *options;
    struct confine *confine;
    struct lua_State *prepared; /* see job_state_prepare */
    struct events *events;
    struct redis *redis;
    struct output *output;
    int wakeup_fd; /* -1: none */
    const char *worker_id;
    char *started_token; /* this and the next two: see job_context */
    atomic_llong *raised;
    bool spare_unknown;
    atomic_int *told; /* see jobsignals.h */
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

/* Begins to end it: with TERM_CHILD as its time-outs say, else with KILL at once. `why` is a
 * literal. */
void child_kill(struct child *c, const struct options *options, const char *why);

/* Kills and reaps whatever the process left behind, in its group or adopted by us, and frees. */
void child_finish(struct child *c, struct events *ev);

#endif
