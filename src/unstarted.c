/* unstarted.c - see unstarted.h. */
#include "unstarted.h"

#include <stdio.h>
#include <string.h>

#define PUT_BACK_MAX 2

void unstarted_count(struct unstarted *u, const struct job *job, struct outcome *end)
{
    const char *id = job->id[0] ? job->id : job->class;
    if (strncmp(u->id, id, sizeof u->id - 1) != 0)
        u->times = 0;
    snprintf(u->id, sizeof u->id, "%s", id);
    if (++u->times > PUT_BACK_MAX)
        end->kind = OUTCOME_FAILED;
}

void unstarted_reset(struct unstarted *u)
{
    u->times = 0;
}
