/* telling.c - see telling.h. */
#include "worker/telling.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"

void telling_run(struct standing *me, const struct child_place *place, const struct job *job,
                 const struct outcome *end)
{
    struct child child;
    if (child_on_failure(&child, place, job, end->exception, end->error) < 0) {
        log_error("onFailure was not run: %s", strerror(errno));
        return;
    }
    me->wishes.kill = NULL;
    while (!child.ended) {
        int64_t until = wishes_deadline(&me->wishes);
        child_wait(&child, me->options, &me->events, events_deadline(&me->events, until));
        standing_hear(me);
        if (me->wishes.kill && wishes_is_leave(me->wishes.kill))
            child_hurry(&child);
    }
    child_finish(&child, &me->events);
}
