/* persist.h - writes how a job ended, for as long as it takes: through lost connections, and a
 * Redis that is away or refuses. */
#ifndef PERSIST_H
#define PERSIST_H

#include "worker/commit.h"

struct session;

/* With the next job on the way back, if one is wanted. COMMIT_TROUBLE: the worker is told to leave,
 * and has tried for a while. */
enum commit_result persist_outcome(struct session *session, struct reserve *reserve,
                                   const struct job *job, struct outcome *outcome);

#endif
