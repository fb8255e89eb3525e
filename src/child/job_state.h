/* job_state.h - Lua in a job's process: runs the job, and tells the worker through a pipe how it
 * went.
 */
#ifndef JOB_STATE_H
#define JOB_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "job/job.h"
#include "options/options.h"

struct lua_State;
struct confine;

/* A state in which no user's code has run, with our modules loaded. Made once, before any fork:
 * every job's process has its own untouched copy, for a tenth of what making one costs. NULL: `err`
 * says why. */
struct lua_State *job_state_prepare(const struct options *options, char *err, size_t err_size);
void job_state_discard(struct lua_State *prepared); /* NULL is fine */

struct job_context {
    const struct options *options;
    struct confine *confine;
    struct lua_State *prepared;
    pid_t pid; /* of the job's process: what it forks is another one, and reports nothing */
    int report_fd;
    ino_t report_inode;  /* of its pipe: a script may close it and open a file as that number */
    char *started_token; /* shared memory: the job's token once its code is about to run; NULL: none
                          */
    atomic_llong *raised; /* shared memory, see raised.h */
    bool spare_unknown;   /* a job whose class cannot be had does not fail: nobody is told so */
    const char *worker_id;
};

/* Loads APP_INCLUDE, sends `started`, runs the job, closes the state (finalizers run), sends how it
 * went, exits. With TERM_CHILD, its worker's TERM raises Resque::TermException inside the job;
 * its limits raise errors of their own, see joblimits.h. */
_Noreturn void job_state_run(const struct job_context *context, const struct job *job);

/* The same, but only onFailure(error, job) is called, for a job whose process died. Sends nothing.
 */
_Noreturn void job_state_on_failure(const struct job_context *context, const struct job *job,
                                    const char *exception, const char *message);

#endif
