/* verdict.h - decides how a job has ended whose process has ended. The table comes first; then, in
 * this order, what changes its word: the error of a limit that became an exit (raised.h), too many
 * deaths before the start (unstarted.h), a cancel (cancel.h), a limit, a crash that may be put back
 * (crash.h). */
#ifndef VERDICT_H
#define VERDICT_H

#include "job/board.h"
#include "job/job.h"
#include "job/outcome.h"
#include "job/report.h"
#include "options/options.h"
#include "worker/child.h"
#include "worker/unstarted.h"

/* The one decision table: what the job reported × how its process ended (a wait status).
 * `killed_for` names the reason if this worker killed it ("SIGUSR1"), else NULL. */
void verdict_by_table(struct outcome *outcome, const struct report *report, int wait_status,
                      const char *killed_for);

/* All of it, for a child that has `ended` and is not finished yet; its report is corrected where
 * `slot` knows more. Texts are copied; the output is not in it. */
void verdict_reach(struct outcome *outcome, struct child *child, const struct job *job,
                   const struct board_slot *slot, struct unstarted *unstarted,
                   const struct options *options);

#endif
