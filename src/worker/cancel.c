/* cancel.c - see cancel.h. */
#include "worker/cancel.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define CANCELLED "Resque::Cancelled"
#define UNSTARTED "Job was cancelled by resque-lua job --kill before it started"
#define STARTED "Job was cancelled by resque-lua job --kill"

const char cancel_reason[] = "resque-lua job --kill";

/* The manager may be writing: half of a token is no job's. */
bool cancel_wanted(const struct board_slot *slot, const struct job *job)
{
    return strncmp(slot->cancel, job->token, sizeof slot->cancel) == 0;
}

void cancel_unstarted(struct outcome *outcome)
{
    outcome_fail(outcome, OUTCOME_FAILED, CANCELLED, UNSTARTED);
}

static bool is_ours(const struct outcome *outcome)
{
    return outcome->kind == OUTCOME_PUT_BACK ||
           (outcome->kind == OUTCOME_FAILED && outcome_was_terminated(outcome));
}

void cancel_judge(struct outcome *outcome, bool started)
{
    if (!is_ours(outcome))
        return;
    const char *error = started ? STARTED : UNSTARTED;
    free(outcome->exception);
    free(outcome->error);
    outcome->kind = OUTCOME_FAILED;
    outcome->dirty = false; /* nobody's crash */
    outcome->exception = memory_copy(CANCELLED, strlen(CANCELLED));
    outcome->error = memory_copy(error, strlen(error));
}
