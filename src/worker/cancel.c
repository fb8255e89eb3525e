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

void cancel_unstarted(struct outcome *end)
{
    outcome_fail(end, OUTCOME_FAILED, CANCELLED, UNSTARTED);
}

static bool is_ours(const struct outcome *end)
{
    return end->kind == OUTCOME_PUT_BACK ||
           (end->kind == OUTCOME_FAILED && outcome_was_terminated(end));
}

void cancel_judge(struct outcome *end, bool started)
{
    if (!is_ours(end))
        return;
    const char *error = started ? STARTED : UNSTARTED;
    free(end->exception);
    free(end->error);
    end->kind = OUTCOME_FAILED;
    end->dirty = false; /* nobody's crash */
    end->exception = memory_copy(CANCELLED, strlen(CANCELLED));
    end->error = memory_copy(error, strlen(error));
}
