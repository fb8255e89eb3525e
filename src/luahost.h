/* luahost.h - the only place that runs Lua: states, search paths, one protected entry with traceback.
 *
 * Three users: the Lua commands, a job's process, and a worker whose user registered beforeFirstFork or beforeFork.
 * The rest of the program never sees a Lua stack. */
#ifndef LUAHOST_H
#define LUAHOST_H

#include <stdbool.h>
#include <stddef.h>

#include "job.h"
#include "luacode.h"
#include "options.h"
#include "report.h"

/* Runs require(module).run(arguments) and returns its exit code. An error is printed to stderr: EXIT_FAILED. */
int luahost_command(const struct options *o, const char *module);

/* What a job's process sends to its worker; made by the child, sent by the child. */
struct luahost_end {
    enum report_end end;
    char *text[3]; /* DONE: JSON; LOAD: message; FAILED: exception, message, trace. Owned. */
    size_t len;    /* of text[0] */
};

/* In the job's process: fresh state, APP_INCLUDE, the job (resque.runner.run), state closed. When its code is about to
 * run, a `started` frame goes to report_fd and `mark` (shared memory, may be NULL) becomes the job's token.
 * With term_hook, SIGTERM raises Resque::TermException inside the job. os.exit sends its frame and ends the process. */
struct luahost_place {
    const struct luacode *code; /* our modules; NULL: compile them */
    int report_fd;
    char *mark;
    bool term_hook;
    const char *worker_id;
};
void luahost_job(const struct options *o, const struct luahost_place *place, const struct job *job,
                 struct luahost_end *end);

/* In a short process of its own: onFailure(error, job) for a job whose process died. */
void luahost_on_failure(const struct options *o, const struct luahost_place *place, const struct job *job,
                        const char *exception, const char *message);

/* Compiles and runs APP_INCLUDE in a state of its own. 0 and whether parent hooks are registered; -1 and
 * "file:line: message" in `err`. */
int luahost_check(const struct options *o, bool *parent_hooks, char *err, size_t err_size);

/* A worker's own state for its two hooks. Stale: a file of APP_INCLUDE has changed since it was opened. */
struct luahost_parent;
struct luahost_parent *luahost_parent_open(const struct options *o, char *err, size_t err_size);
void luahost_parent_close(struct luahost_parent *p); /* NULL is fine */
bool luahost_parent_is_stale(const struct luahost_parent *p, const struct options *o);

/* beforeFirstFork (job NULL) or beforeFork, limited to 5 s. 0; -1: exception and message are the caller's to free. */
int luahost_parent_emit(struct luahost_parent *p, const char *event, const char *worker_id, const struct job *job,
                        char **exception, char **message);

#endif
