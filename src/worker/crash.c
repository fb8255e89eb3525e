/* crash.c - see crash.h. */
#include "worker/crash.h"

#include <sys/wait.h>

#include "worker/wishes.h"

static bool is_crash(const struct outcome *outcome, int wait_status)
{
    bool exited_well = outcome->dirty && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
    return outcome_was_terminated(outcome) && !exited_well;
}

/* The job's table beats the worker. */
static int allowed(const struct child *child, const struct options *options)
{
    return child->report.policy.requeue >= 0 ? child->report.policy.requeue : options->requeue;
}

void crash_judge(struct outcome *outcome, const struct child *child, const struct options *options)
{
    bool meant = child->killed_for && !wishes_is_leave(child->killed_for);
    if (allowed(child, options) == 0 || outcome->kind != OUTCOME_FAILED || !child->report.started ||
        outcome->limit || meant || !is_crash(outcome, child->wait_status))
        return;
    outcome->kind = OUTCOME_CRASHED;
    outcome->requeue = allowed(child, options);
}
