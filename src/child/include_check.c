/* include_check.c - see include_check.h. */
#include "child/include_check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "child/jobsignals.h"
#include "lua/luahost.h"
#include "os/descriptors.h"
#include "os/guard.h"
#include "os/signals.h"

#define LOAD_LIMIT 60 /* seconds; then loading ends: the manager does nothing else meanwhile */

/* The first byte of the throw-away process's message. No message: the scripts ended the process. */
enum { LOADED = '+', BROKEN = '-' };

static _Noreturn void check_in_child(const struct include_check *c, int report_fd)
{
    char said[INCLUDE_CHECK_WHY] = {LOADED};
    bool parent_hooks = false;
    static const atomic_int never_told;
    descriptors_let_go();
    jobsignals_prepare(&never_told); /* whether this is ended is the manager's decision alone */
    jobsignals_begin();
    setpgid(0, 0);
    sigprocmask(SIG_SETMASK, &c->events->original_mask, NULL);
    confine_session(c->confine);
    bool confined = confine_enter(c->confine, said + 1) == 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    guard_begin(LOAD_LIMIT);
    if (!confined || confine_calls(c->confine, said + 1) < 0 ||
        luahost_check(c->options, &parent_hooks, said + 1, sizeof said - 1) < 0)
        said[0] = BROKEN;
    else
        atomic_store(&c->board->parent_hooks, parent_hooks);
    _exit(write(report_fd, said, strlen(said)) < 0 ? EXIT_FAILED : EXIT_DONE);
}

static bool told_to_leave(const struct events *ev)
{
    return events_pending(ev, SIGTERM) || events_pending(ev, SIGINT) || events_pending(ev, SIGQUIT);
}

/* Reads what has come of a message that is written in one piece. False: nothing more will come. */
static bool read_some(int fd, char *text, size_t *got, size_t size)
{
    ssize_t n = read(fd, text + *got, size - 1 - *got);
    *got += n > 0 ? (size_t)n : 0;
    return n > 0 || (n < 0 && errno == EINTR);
}

/* Reads the message of the throw-away process until that ends: a process that the scripts have
 * forked may hold the pipe for longer. Once this program is told to leave, the throw-away process
 * is killed: its scripts may never come to an end. */
static void hear(struct events *ev, pid_t pid, int fd, char *text, size_t size)
{
    size_t got = 0;
    bool ended = false;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* -1: the pipe alone tells */
    events_watch(ev, EVENTS_REPORT, fd, POLLIN);
    events_watch(ev, EVENTS_CHILD, pidfd, POLLIN);
    while (!ended) {
        if (told_to_leave(ev))
            kill(pid, SIGKILL);
        unsigned seen =
            events_wait(ev, EVENTS_BIT(EVENTS_REPORT) | EVENTS_BIT(EVENTS_CHILD), CLOCK_NEVER);
        ended = seen & EVENTS_BIT(EVENTS_CHILD);
        if ((seen & EVENTS_BIT(EVENTS_REPORT)) && !read_some(fd, text, &got, size))
            ended = true;
    }
    text[got] = '\0';
    events_unwatch(ev, EVENTS_REPORT);
    events_unwatch(ev, EVENTS_CHILD);
    if (pidfd >= 0)
        close(pidfd);
}

static int judge(pid_t pid, int status, const char *text, char *why, size_t size)
{
    if (text[0] == LOADED)
        return 0;
    if (pid < 0)
        snprintf(why, size, "fork: %s", strerror(errno));
    else if (WIFSIGNALED(status) && WTERMSIG(status) == GUARD_SIGNAL)
        snprintf(why, size, "it takes longer than %d s", LOAD_LIMIT);
    else if (WIFSIGNALED(status))
        snprintf(why, size, "loading it was ended by %s", signals_name(WTERMSIG(status)));
    else
        snprintf(why, size, "%s", text[0] ? text + 1 : "it called os.exit");
    return -1;
}

/* Checks for NO_INCLUDE, with which nothing is loaded before a job names its class. */
static int check_folder(char *why, size_t size)
{
    if (access("jobs", R_OK | X_OK) == 0)
        return 0;
    snprintf(why, size, "the folder ./jobs cannot be read: %s", strerror(errno));
    return -1;
}

int include_check_run(const struct include_check *c, char *why, size_t size)
{
    int ends[2], status = 0;
    char text[INCLUDE_CHECK_WHY] = "";
    if (!c->options->scripts.include)
        return check_folder(why, size);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        snprintf(why, size, "pipe: %s", strerror(errno));
        return -1;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        check_in_child(c, ends[1]);
    }
    int error = errno;
    close(ends[1]);
    if (pid > 0) {
        setpgid(pid, pid);
        hear(c->events, pid, ends[0], text, sizeof text);
        kill(-pid, SIGKILL); /* what the scripts have left running, before the number is free */
        waitpid(pid, &status, 0);
    }
    close(ends[0]);
    errno = error;
    return judge(pid, status, text, why, size);
}

int include_check_say(const struct include_check *c)
{
    char why[INCLUDE_CHECK_WHY];
    const char *include = c->options->scripts.include;
    if (include_check_run(c, why, sizeof why) == 0)
        return 0;
    if (include)
        log_error("APP_INCLUDE %s cannot be loaded: %s", include, why);
    else
        log_error("NO_INCLUDE: %s", why);
    return -1;
}
