/* telling.h - onFailure of a job whose process died, in a process of its own. */
#ifndef TELLING_H
#define TELLING_H

#include "child.h"
#include "standing.h"

/* Runs it to its end, for 5 s at most: it may not hold up a stop that comes meanwhile. The stop by
 * which the job ended is no reason: that comes again from whoever sent it to every process. */
void telling_run(struct standing *me, const struct child_place *place, const struct job *job,
                 const struct outcome *end);

#endif
