/* ending.c - see ending.h. */
#include "worker/ending.h"

#include "base/clock.h"
#include "base/stopat.h"
#include "worker/joblog.h"

#define LEAVE_TIMEOUT 5.0 /* seconds for a job's end to a Redis that does not answer */

/* One try to write the outcome, with the next job on the way back if we want one. */
static enum commit_result try_commit(struct standing *me, struct reserve *reserve,
                                     const struct job *job, struct outcome *end)
{
    char token[JOB_TOKEN_SIZE];
    bool more = wishes_a_job(&me->wishes) && !end->tell && end->kind != OUTCOME_PUT_BACK &&
                reserve_expand(reserve, &me->scripts, false) == 0;
    if (!redis_connected(me->redis))
        return COMMIT_TROUBLE;
    if (more)
        registry_token(&me->registry, token);
    atomic_store(&me->slot->state, BOARD_LOOKING);
    STOP_AT("commit");
    return commit_outcome(end, &me->scripts, me->registry.id, job, reserve, more ? token : NULL);
}

/* Tries for as long as it takes; a worker that is told to leave gives up after a while. */
enum commit_result ending_write(struct standing *me, struct reserve *reserve, const struct job *job,
                                struct outcome *end)
{
    int64_t give_up = CLOCK_NEVER;
    int cuts = 0;
    while (clock_ms() < give_up) {
        if (standing_connected(me)) {
            enum commit_result result = try_commit(me, reserve, job, end);
            if (result != COMMIT_TROUBLE)
                return result;
            if (commit_shorten(end, &me->scripts, &cuts))
                joblog_shortened(job);
            standing_back_off(me, "writing a job's end", me->scripts.error);
        }
        standing_wait(me, 0, 0);
        if (me->wishes.leave != STAY && give_up == CLOCK_NEVER)
            give_up = clock_after(LEAVE_TIMEOUT);
    }
    return COMMIT_TROUBLE;
}
