/* confine.h - what a job's process gives up before any script runs in it: the way to more rights
 * (always), the user the worker runs as (JOB_USER), system calls (SANDBOX=strict; what that means
 * in Lua is resque.job.sandbox). resque-lua-isolation(7) says what each of it stops. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "os/corefile.h"
#include "os/seccomp.h"

#define CONFINE_WHY 256 /* bytes that a reason takes at most */

struct confine {
    const char *user; /* JOB_USER; NULL: jobs run as the worker does */
    uid_t uid;
    gid_t gid;
    gid_t *groups; /* owned */
    int group_count;
    bool strict; /* SANDBOX=strict */
    struct seccomp_filter filter;
    struct corefile corefile; /* what jobs do not give up */
};

/* Keeps programs that this process or its children execute from gaining rights (sudo, setuid bits).
 * 0 or -1 with errno. */
int confine_always(void);

/* Prepares, once and before any fork, what the others need, forbids core files, and makes HOME,
 * USER and LOGNAME those of JOB_USER. `user` is borrowed; NULL: jobs run as the worker does.
 * EXIT_DONE, or another exit code with what, why and hint in `err`. Either way confine_close is
 * due. */
int confine_open(struct confine *c, const char *user, bool strict, char *err, size_t err_size);
void confine_close(struct confine *c);

/* Drops, with JOB_USER, the controlling terminal: TIOCSTI on it would type into root's shell. Joins
 * a new session keyring: root's keys could be read in the old one. For a worker, which its jobs
 * inherit it from, and for other new processes. */
void confine_session(const struct confine *c);

/* Makes a new process that is to run scripts JOB_USER's for good; without JOB_USER it may leave
 * core files again. To be called before PR_SET_PDEATHSIG, which a change of user clears. 0; -1 and
 * why: no script may run then. */
int confine_enter(const struct confine *c, char why[CONFINE_WHY]);

/* Puts the filter of SANDBOX=strict on, as the last step before scripts run: it refuses the system
 * calls that a job has no use for. 0; -1 and why. */
int confine_calls(struct confine *c, char why[CONFINE_WHY]);

/* The same for the job table's own `sandbox`: whatever SANDBOX says. */
int confine_calls_now(struct confine *c, char why[CONFINE_WHY]);

#endif
