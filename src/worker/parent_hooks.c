/* parent_hooks.c - see parent_hooks.h. */
#include "worker/parent_hooks.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "job/board.h"
#include "job/job.h"
#include "job/outcome.h"
#include "lua/luahost.h"
#include "options/options.h"

static int open_parent(struct parent_hooks *h, char *err, size_t size)
{
    if (h->parent && !luahost_parent_is_stale(h->parent))
        return 0;
    luahost_parent_close(h->parent);
    h->parent = luahost_parent_open(h->options, err, size);
    return h->parent ? 0 : -1;
}

/* Whether scripts listen, as a job has told. Where jobs are confined this counts for nothing: a job
 * may say anything, and its scripts would be loaded in the worker, as root even. */
static bool somebody_listens(const struct parent_hooks *h)
{
    bool confined = h->options->isolation.job_user || h->options->isolation.sandbox_strict;
    return !confined && atomic_load(&h->board->parent_hooks);
}

int parent_hooks_first(struct parent_hooks *h, const char *worker_id)
{
    char *exception, *message, err[1024];
    if (!somebody_listens(h))
        return 0;
    if (open_parent(h, err, sizeof err) < 0) {
        log_error("APP_INCLUDE cannot be loaded: %s", err);
        return -1;
    }
    if (luahost_parent_emit(h->parent, "beforeFirstFork", worker_id, NULL, &exception, &message) ==
        0)
        return 0;
    log_error("beforeFirstFork: %s: %s", exception, message);
    free(exception);
    free(message);
    return -1;
}

int parent_hooks_fork(struct parent_hooks *h, const char *worker_id, const struct job *job,
                      struct outcome *outcome)
{
    char *exception, *message, err[1024];
    if (!somebody_listens(h))
        return 0;
    if (open_parent(h, err, sizeof err) < 0) {
        outcome_put_back(outcome, err);
        return -1;
    }
    if (luahost_parent_emit(h->parent, "beforeFork", worker_id, job, &exception, &message) == 0)
        return 0;
    outcome_fail(outcome, OUTCOME_FAILED, exception, message);
    free(exception);
    free(message);
    return -1;
}

void parent_hooks_close(struct parent_hooks *h)
{
    luahost_parent_close(h->parent);
    h->parent = NULL;
}
