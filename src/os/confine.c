/* confine.c - see confine.h. */
#include "os/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "os/kernel.h"

#define SHOWN 160 /* bytes of somebody's text that an error quotes */

int confine_always(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* --- at the start --- */

/* Always EXIT_USAGE, so that `return refuse(...)` reads well. */
static int refuse(const char *name, const char *what, const char *hint, char *err, size_t err_size)
{
    char shown[SHOWN];
    snprintf(err, err_size, "JOB_USER is '%s', %s\nhint: %s",
             text_printable(shown, sizeof shown, name, strlen(name)), what, hint);
    return EXIT_USAGE;
}

/* getgrouplist says how many there are when there is no room. */
static void list_groups(struct confine *c)
{
    c->group_count = 0;
    getgrouplist(c->user, c->gid, NULL, &c->group_count);
    c->groups = memory_get((size_t)(c->group_count + 1) * sizeof *c->groups);
    if (getgrouplist(c->user, c->gid, c->groups, &c->group_count) < 0)
        c->group_count = 0; /* the list grew meanwhile: none is the safe one */
}

int confine_open(struct confine *c, const char *user, bool strict, char *err, size_t err_size)
{
    *c = (struct confine){.user = user, .strict = strict};
    corefile_forbid(&c->corefile);
    if (seccomp_filter_make(&c->filter) < 0 && c->strict) {
        int error = errno;
        snprintf(err, err_size, "SANDBOX=strict: %s: %s\nhint: %s", c->filter.missing,
                 strerror(error), kernel_usual_cause(error));
        return EXIT_FAILED;
    }
    if (!c->user)
        return EXIT_DONE;
    if (geteuid() != 0)
        return refuse(c->user, "but only root can run jobs as somebody else",
                      "start resque-lua as root, or as that user and without JOB_USER", err,
                      err_size);
    const struct passwd *entry = getpwnam(c->user);
    if (!entry)
        return refuse(c->user, "but the system finds no such user",
                      "a name as `getent passwd NAME` knows it, such as www-data", err, err_size);
    if (entry->pw_uid == 0)
        return refuse(c->user, "who is root: jobs would give nothing up",
                      "name a user of its own, or leave it out", err, err_size);
    c->uid = entry->pw_uid;
    c->gid = entry->pw_gid;
    list_groups(c);
    setenv("HOME", entry->pw_dir, 1);
    setenv("USER", c->user, 1);
    setenv("LOGNAME", c->user, 1);
    return EXIT_DONE;
}

void confine_close(struct confine *c)
{
    free(c->groups);
    seccomp_filter_free(&c->filter);
    *c = (struct confine){0};
}

void confine_session(const struct confine *c)
{
    if (!c->user)
        return;
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
        log_debug("keyring of the session: %s", strerror(errno));
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (terminal < 0)
        return;
    ioctl(terminal, TIOCNOTTY);
    close(terminal);
}

/* --- in a job's process --- */

/* With "securebits" or capabilities kept by who started us, leaving root is not for good. */
static int can_return(void)
{
    return setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) == 0;
}

/* The process stays closed to others of the same user, as it has the worker's memory, passwords
 * included: no ptrace, no /proc/PID/mem, no core file. */
static int become(const struct confine *c)
{
    if (setgroups((size_t)c->group_count, c->groups) < 0 || setresgid(c->gid, c->gid, c->gid) < 0 ||
        setresuid(c->uid, c->uid, c->uid) < 0)
        return -1;
    errno = 0;
    if (can_return())
        return -1;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int confine_enter(const struct confine *c, char why[CONFINE_WHY])
{
    corefile_allow(&c->corefile);
    if (!c->user || become(c) == 0)
        return 0;
    snprintf(why, CONFINE_WHY, "jobs cannot run as JOB_USER %s: %s", c->user,
             errno ? strerror(errno) : "what root may do would stay with them");
    return -1;
}

int confine_calls_now(struct confine *c, char why[CONFINE_WHY])
{
    if (seccomp_filter_enter(&c->filter) == 0)
        return 0;
    snprintf(why, CONFINE_WHY, "SANDBOX=strict: no seccomp filter could be put on: %s",
             strerror(errno));
    return -1;
}

int confine_calls(struct confine *c, char why[CONFINE_WHY])
{
    return c->strict ? confine_calls_now(c, why) : 0;
}
