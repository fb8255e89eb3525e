/* parent_hooks.h - runs beforeFirstFork and beforeFork, the two hooks of the worker itself.
 *
 * The worker has a Lua state only while a script listens to one of them, and makes a new one when
 * the scripts have changed: a worker without such hooks pays nothing. */
#ifndef PARENT_HOOKS_H
#define PARENT_HOOKS_H

struct board;
struct job;
struct options;
struct outcome;

struct parent_hooks {
    const struct options *options;
    struct board *board;           /* its parent_hooks says whether somebody listens */
    struct luahost_parent *parent; /* NULL: not open */
};

/* beforeFirstFork. 0; -1: it failed, or the scripts cannot be loaded; said in the log. */
int parent_hooks_first(struct parent_hooks *h, const char *worker_id);

/* beforeFork. 0; -1: `outcome` says what becomes of the job (failed; put back if the scripts cannot
 * be loaded). */
int parent_hooks_fork(struct parent_hooks *h, const char *worker_id, const struct job *job,
                      struct outcome *outcome);

/* Forgets the scripts: they are loaded anew when a hook is called next. */
void parent_hooks_close(struct parent_hooks *h);

#endif
