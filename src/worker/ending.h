/* ending.h - writes how a job ended, for as long as it takes: through lost connections, and a Redis
 * that is away or refuses. */
#ifndef ENDING_H
#define ENDING_H

#include "worker/commit.h"
#include "worker/session.h"

/* With the next job on the way back, if one is wanted. COMMIT_TROUBLE: the worker is told to leave,
 * and has tried for a while. */
enum commit_result ending_write(struct standing *me, struct reserve *reserve, const struct job *job,
                                struct outcome *end);

#endif
