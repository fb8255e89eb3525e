/* unstarted.c - see unstarted.h. */
#include "worker/unstarted.h"

#include <stdio.h>
#include <string.h>

#define PUT_BACK_MAX 2

void unstarted_note(struct unstarted *u, const struct job *job, struct outcome *outcome,
                    bool killed)
{
    const char *id = job->id[0] ? job->id : job->class;
    if (outcome->kind != OUTCOME_PUT_BACK || !outcome->dirty || killed) {
        u->times = 0;
        return;
    }
    if (strncmp(u->id, id, sizeof u->id - 1) != 0)
        u->times = 0;
    snprintf(u->id, sizeof u->id, "%s", id);
    if (++u->times > PUT_BACK_MAX)
        outcome->kind = OUTCOME_FAILED;
}
