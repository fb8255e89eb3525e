/* kernel.c - see kernel.h. */
#include "os/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "os/children.h"
#include "os/identity.h"

#define ADDRESS_SPACE "/proc/self/statm"

/* --- what it must do --- */

static int closed(int fd)
{
    return fd < 0 ? -1 : close(fd);
}

static int try_pidfd(void)
{
    return closed((int)syscall(SYS_pidfd_open, getpid(), 0));
}

static int try_signalfd(void)
{
    sigset_t none;
    sigemptyset(&none);
    return closed(signalfd(-1, &none, SFD_NONBLOCK | SFD_CLOEXEC));
}

static int try_pipe(void)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    close(ends[0]);
    return closed(ends[1]);
}

static int try_random(void)
{
    char byte;
    return getrandom(&byte, sizeof byte, 0) == (ssize_t)sizeof byte ? 0 : -1;
}

static int try_wait(void)
{
    siginfo_t info;
    int seen = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
    return seen < 0 && errno != ECHILD ? -1 : 0;
}

/* Passes 0 for the arguments without a meaning: prctl may take them for something. */
static int try_subreaper(void)
{
    int now = 0;
    if (prctl(PR_GET_CHILD_SUBREAPER, &now, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_CHILD_SUBREAPER, now, 0, 0, 0);
}

static int try_death_signal(void)
{
    int now = 0;
    if (prctl(PR_GET_PDEATHSIG, &now, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_PDEATHSIG, now, 0, 0, 0);
}

static const struct {
    const char *name;
    int (*attempt)(void); /* 0, or -1 with errno */
} needs[] = {
    {"pidfd_open", try_pidfd},
    {"signalfd4", try_signalfd},
    {"pipe2", try_pipe},
    {"getrandom", try_random},
    {"waitid", try_wait},
    {"prctl(PR_SET_CHILD_SUBREAPER)", try_subreaper},
    {"prctl(PR_SET_PDEATHSIG)", try_death_signal},
};

const char *kernel_usual_cause(int error)
{
    switch (error) {
    case EPERM:
    case EACCES:
        return "a seccomp filter refuses it, as those of Docker before 20.10 and of an old "
               "libseccomp do, or SystemCallFilter= of a service: update them, or allow it there";
    case ENOSYS:
    case EINVAL:
        return "Linux 5.3 or later is needed, with all it has: gVisor and old seccomp filters "
               "leave calls out";
    default:
        return "is there no memory, no process, or no file descriptor left?";
    }
}

int kernel_try(char *err, size_t err_size)
{
    char refused[512] = "";
    const char *cause = NULL;
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (needs[i].attempt() == 0)
            continue;
        size_t len = strlen(refused);
        snprintf(refused + len, sizeof refused - len, "%s%s: %s", len ? ", " : "", needs[i].name,
                 strerror(errno));
        cause = kernel_usual_cause(errno);
    }
    if (!cause)
        return 0;
    snprintf(err, err_size, "this system does not let us do what jobs need: %s\nhint: %s", refused,
             cause);
    return -1;
}

/* --- what it should tell --- */

static void warn_of(const char *file, const char *then)
{
    log_warn("%s: %s: %s", file, strerror(errno), then);
}

static void warn_of_missing(void)
{
    struct identity own;
    pid_t none[1];
    char file[CHILDREN_FILE_SIZE];
    const char *missing = identity_own(&own);
    if (missing)
        warn_of(missing, "if workers die with their manager, only RESQUE_PRUNE seconds without a "
                         "heartbeat tell");
    if (children_list(none, 0) < 0) {
        children_file(file);
        warn_of(file, "what jobs leave behind in sessions of their own is not ended");
    }
    if (access(ADDRESS_SPACE, R_OK) < 0)
        warn_of(ADDRESS_SPACE, "what C modules of jobs take is not limited");
}

int kernel_look(void)
{
    char err[1024];
    if (kernel_try(err, sizeof err) < 0) {
        log_error_lines(err);
        return -1;
    }
    warn_of_missing();
    return 0;
}
