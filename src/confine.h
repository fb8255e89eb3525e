/* confine.h - what a job's process gives up before any script runs in it: the way to more rights
 * (always), and the user the worker runs as (JOB_USER). resque-lua-isolation(7) says what each of
 * it stops. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stddef.h>
#include <sys/types.h>

#include "options.h"

#define CONFINE_WHY 256 /* bytes that a reason takes at most */

struct confine {
    const char *user; /* JOB_USER; NULL: jobs run as the worker does */
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* owned */
    int group_count;
};

/* No program that this process or its children execute gains rights by it: sudo, setuid bits. */
void confine_always(void);

/* Looks up, once and before any fork, what confine_enter needs, and makes HOME, USER and LOGNAME
 * those of JOB_USER. 0; -1 with what, why and hint in `err`. Either way confine_close is due. */
int confine_open(struct confine *c, const struct options *o, char *err, size_t err_size);
void confine_close(struct confine *c);

/* In a new process that is to run scripts: becomes JOB_USER for good. To be called before
 * PR_SET_PDEATHSIG, which a change of user clears. 0; -1 and why: no script may run then. */
int confine_enter(const struct confine *c, char why[CONFINE_WHY]);

#endif
