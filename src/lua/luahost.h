/* luahost.h - where Lua runs: commands, the check of APP_INCLUDE, a job's process (job_state.c),
 * and a worker whose user registered beforeFirstFork or beforeFork (luahost_parent.c). The rest of
 * the program never sees a Lua stack. */
#ifndef LUAHOST_H
#define LUAHOST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "job/job.h"
#include "options/options.h"

struct lua_State;
struct confine;

/* Runs require(module).run(arguments) and returns its exit code. An error is printed to stderr:
 * EXIT_FAILED. */
int luahost_command(const struct options *o, const char *module);

/* Runs APP_INCLUDE in a state of its own. 0 and whether parent hooks are registered; -1 and
 * "file:line: message". */
int luahost_check(const struct options *o, bool *parent_hooks, char *err, size_t err_size);

/* --- a job's process --- */

/* A state in which no user's code has run, with our modules loaded. Made once, before any fork:
 * every job's process has its own untouched copy, for a tenth of what making one costs. NULL: `err`
 * says why. */
struct lua_State *luahost_prepare(const struct options *o, char *err, size_t err_size);
void luahost_discard(struct lua_State *prepared); /* NULL is fine */

struct luahost_place {
    const struct options *options;
    struct confine *confine;
    struct lua_State *prepared;
    pid_t pid; /* of the job's process: what it forks is another one, and reports nothing */
    int report_fd;
    ino_t report_inode; /* of its pipe: a script may close it and open a file as that number */
    char *mark; /* shared memory: the job's token once its code is about to run; NULL: none */
    atomic_llong *raised; /* shared memory, see raised.h */
    bool spare_unknown;   /* a job whose class cannot be had does not fail: nobody is told so */
    const char *worker_id;
};

/* Loads APP_INCLUDE, sends `started`, runs the job, closes the state (finalizers run), sends how it
 * went, exits. With TERM_CHILD, its worker's TERM raises Resque::TermException inside the job;
 * its limits raise errors of their own, see joblimits.h. */
_Noreturn void luahost_job(const struct luahost_place *place, const struct job *job);

/* The same, but only onFailure(error, job) is called, for a job whose process died. Sends nothing.
 */
_Noreturn void luahost_on_failure(const struct luahost_place *place, const struct job *job,
                                  const char *exception, const char *message);

/* --- a worker's own state, for its two hooks --- */

struct luahost_parent;
struct luahost_parent *luahost_parent_open(const struct options *o, char *err, size_t err_size);
void luahost_parent_close(struct luahost_parent *p); /* NULL is fine */

/* Whether a Lua file that it has read was changed since: one of APP_INCLUDE, or one that these
 * brought in by require, dofile or loadfile. */
bool luahost_parent_is_stale(const struct luahost_parent *p);

/* beforeFirstFork (job NULL) or beforeFork, limited to 5 s. 0; -1: exception and message are the
 * caller's to free. */
int luahost_parent_emit(struct luahost_parent *p, const char *event, const char *worker_id,
                        const struct job *job, char **exception, char **message);

#endif
