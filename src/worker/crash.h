/* crash.h - which ends of a job are a crash: what ON_CRASH may have run again. */
#ifndef CRASH_H
#define CRASH_H

#include "job/outcome.h"
#include "options/options.h"
#include "worker/child.h"

/* A started job whose process was killed by a signal nobody sent to end just this job, or ended
 * with an exit code other than 0, becomes OUTCOME_CRASHED if it may be put back. Also one that TERM
 * or INT to its worker ended, in a deploy. No crash: an error, a limit, USR1, --kill. */
void crash_judge(struct outcome *outcome, const struct child *child, const struct options *options);

#endif
