/* verdict.h - decides how a job has ended whose process has ended: a pure function of the process's
 * death (death.h). The table comes first; then, in this order, what changes its word: the error of
 * a limit that became an exit, too many deaths before the start, a cancel, a limit, a crash that
 * may be put back. */
#ifndef VERDICT_H
#define VERDICT_H

#include "job/outcome.h"
#include "options/options.h"
#include "worker/death.h"

/* The one decision table: what the job reported × how its process ended. */
void verdict_by_table(struct outcome *outcome, const struct death *death);

/* All of it. `unstarted`: how many processes of this very job, one after the other, have ended
 * before its code ran; with this one (see unstarted.h). Texts are copied; the output of the job is
 * not in the outcome. */
void verdict_reach(struct outcome *outcome, const struct death *death, int unstarted,
                   const struct options *options);

/* The outcome of a job that was cancelled before its process was made. */
void verdict_cancelled(struct outcome *outcome);

#endif
