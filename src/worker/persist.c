/* persist.c - see persist.h. */
#include "worker/persist.h"

#include "base/clock.h"
#include "base/stopat.h"
#include "job/board.h"
#include "job/outcome.h"
#include "worker/joblog.h"
#include "worker/reserve.h"
#include "worker/session.h"
#include "worker/wishes.h"

#define LEAVE_TIMEOUT 5.0 /* seconds for a job's end to a Redis that does not answer */

/* Tries once to write the outcome, with the next job on the way back if one is wanted. */
static enum commit_result try_commit(struct session *session, struct reserve *reserve,
                                     const struct job *job, struct outcome *outcome)
{
    char token[JOB_TOKEN_SIZE];
    bool more = wishes_a_job(session->wishes) && !outcome->tell &&
                outcome->kind != OUTCOME_PUT_BACK &&
                reserve_expand(reserve, &session->scripts, false) == 0;
    if (!redis_connected(session->redis))
        return COMMIT_TROUBLE;
    if (more)
        ledger_token(&session->ledger, token);
    atomic_store(&session->slot->state, BOARD_LOOKING);
    STOP_AT("commit");
    return commit_outcome(outcome, &session->scripts, session->registry.id, job, reserve,
                          more ? token : NULL);
}

/* Tries for as long as it takes; a worker that is told to leave gives up after a while. */
enum commit_result persist_outcome(struct session *session, struct reserve *reserve,
                                   const struct job *job, struct outcome *outcome)
{
    int64_t give_up = CLOCK_NEVER;
    int cuts = 0;
    while (clock_ms() < give_up) {
        if (session_connected(session)) {
            enum commit_result result = try_commit(session, reserve, job, outcome);
            if (result != COMMIT_TROUBLE)
                return result;
            if (commit_shorten(outcome, &session->scripts, &cuts))
                joblog_shortened(job);
            session_back_off(session, "writing a job's end", session->scripts.error);
        }
        session_wait(session, 0, 0);
        if (session->wishes->leave != STAY && give_up == CLOCK_NEVER)
            give_up = clock_after(LEAVE_TIMEOUT);
    }
    return COMMIT_TROUBLE;
}
