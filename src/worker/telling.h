/* telling.h - onFailure of a job whose process died, in a process of its own. */
#ifndef TELLING_H
#define TELLING_H

#include "worker/child.h"
#include "worker/session.h"

/* Runs onFailure to its end, for 5 s at most; a TERM or INT that comes meanwhile ends it sooner.
 * The stop that ended the job does not, although it may come again: a supervisor sends one stop to
 * every process. */
void telling_run(struct session *session, const struct child_context *context,
                 const struct job *job, const struct outcome *outcome);

#endif
