/* unstarted.c - see unstarted.h. */
#include "worker/unstarted.h"

#include <stdio.h>
#include <string.h>

int unstarted_count(struct unstarted *u, const struct job *job, const struct death *death)
{
    const char *id = job->id[0] ? job->id : job->class;
    if (!death_was_early(death)) {
        u->times = 0;
        return 0;
    }
    if (strncmp(u->id, id, sizeof u->id - 1) != 0)
        u->times = 0;
    snprintf(u->id, sizeof u->id, "%s", id);
    return ++u->times;
}
