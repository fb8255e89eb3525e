/* luahost.h - where Lua runs: commands, the check of APP_INCLUDE, a job's process (job_state.c),
 * and a worker whose user registered beforeFirstFork or beforeFork (luahost_parent.c). The rest of
 * the program never sees a Lua stack. */
#ifndef LUAHOST_H
#define LUAHOST_H

#include <stdbool.h>
#include <stddef.h>

#include "job/job.h"
#include "options/options.h"

/* Runs require(module).run(arguments) and returns its exit code. An error is printed to stderr:
 * EXIT_FAILED. */
int luahost_command(const struct options *options, const char *module);

/* Runs APP_INCLUDE in a state of its own, where scripts see what they see in a worker: it asks for
 * the hooks that a worker would have. 0 and whether parent hooks are registered; -1 and "file:line:
 * message". */
int luahost_check(const struct options *options, bool *parent_hooks, char *err, size_t err_size);

/* --- a worker's own state, for its two hooks --- */

struct luahost_parent;
struct luahost_parent *luahost_parent_open(const struct options *options, char *err,
                                           size_t err_size);
void luahost_parent_close(struct luahost_parent *p); /* NULL is fine */

/* Whether a Lua file that it has read was changed since: one of APP_INCLUDE, or one that these
 * brought in by require, dofile or loadfile. */
bool luahost_parent_is_stale(const struct luahost_parent *p);

/* beforeFirstFork (job NULL) or beforeFork, limited to 5 s. 0; -1: exception and message are the
 * caller's to free. */
int luahost_parent_emit(struct luahost_parent *p, const char *event, const char *worker_id,
                        const struct job *job, char **exception, char **message);

#endif
