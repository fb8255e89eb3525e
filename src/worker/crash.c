/* crash.c - see crash.h. */
#include "worker/crash.h"

#include <sys/wait.h>

#include "worker/wishes.h"

static bool is_crash(const struct outcome *end, int wait_status)
{
    bool exited_well = end->dirty && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
    return outcome_was_terminated(end) && !exited_well;
}

/* The job's table beats the worker. */
static int allowed(const struct child *child, const struct options *o)
{
    return child->report.policy.requeue >= 0 ? child->report.policy.requeue : o->requeue;
}

void crash_judge(struct outcome *end, const struct child *child, const struct options *o)
{
    bool meant = child->killed_for && !wishes_is_leave(child->killed_for);
    if (allowed(child, o) == 0 || end->kind != OUTCOME_FAILED || !child->report.started ||
        end->limit || meant || !is_crash(end, child->wait_status))
        return;
    end->kind = OUTCOME_CRASHED;
    end->requeue = allowed(child, o);
}
