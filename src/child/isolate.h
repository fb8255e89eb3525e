/* isolate.h - the first steps of a job's process, straight after the fork: it lets go of what is
 * its worker's, gives up rights, and becomes the job. Its worker's half of the fork is
 * worker/child.c. */
#ifndef ISOLATE_H
#define ISOLATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct confine;
struct events;
struct job;
struct options;
struct output;

struct lua_State;

/* What a worker hands to the process of a job. All of it is borrowed. */
struct child_context {
    const struct options *options;
    struct confine *confine;
    struct lua_State *prepared; /* see job_state_prepare */
    struct events *events;      /* the worker's, which waits for the process */
    struct output *output;
    const char *worker_id;
    char *started_token; /* this and the next two: see struct job_context */
    atomic_llong *raised;
    bool spare_unknown;
    atomic_int *told; /* see jobsignals.h */
};

/* A group of its own, no life without the worker, nothing of the worker's. Where the process cannot
 * be confined it reports that and exits: its job goes back. `worker` is the parent's pid. */
void isolate_begin(const struct child_context *context, pid_t worker, int report_fd);

/* What comes next; neither returns. */
_Noreturn void isolate_run_job(const struct child_context *context, const struct job *job,
                               int report_fd);
_Noreturn void isolate_run_on_failure(const struct child_context *context, const struct job *job,
                                      int report_fd, const char *exception, const char *message);

#endif
