/* on_failure.c - see on_failure.h. */
#include "worker/on_failure.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "job/outcome.h"
#include "worker/child.h"
#include "worker/session.h"
#include "worker/wishes.h"

void on_failure_run(struct session *session, const struct child_context *context,
                    const struct job *job, const struct outcome *outcome)
{
    struct child child;
    if (child_on_failure(&child, context, job, outcome->exception, outcome->error) < 0) {
        log_error("onFailure was not run: %s", strerror(errno));
        return;
    }
    session->wishes->kill = KILL_NONE;
    while (!child.ended) {
        int64_t until = wishes_deadline(session->wishes);
        child_wait(&child, session->options, &session->events,
                   events_deadline(&session->events, until));
        session_hear(session);
        if (kill_reason_is_leave(session->wishes->kill))
            child_hurry(&child);
    }
    child_finish(&child, &session->events);
}
