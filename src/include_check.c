/* include_check.c - see include_check.h. */
#include "include_check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "guard.h"
#include "jobsignals.h"
#include "log.h"
#include "luahost.h"
#include "signals.h"

#define LOAD_LIMIT 60 /* seconds; then it ends: the manager does nothing else meanwhile */

/* The first byte of what the throw-away process says. Nothing at all: the scripts ended it. */
enum { LOADED = '+', BROKEN = '-' };

static _Noreturn void check_in_child(const struct include_check *c, int report_fd)
{
    char said[INCLUDE_CHECK_WHY] = {LOADED};
    bool parent_hooks = false;
    static const atomic_int never_told;
    jobsignals_prepare(&never_told); /* whether this is ended is the manager's decision alone */
    jobsignals_begin();
    sigprocmask(SIG_SETMASK, &c->events->original_mask, NULL);
    confine_session(c->confine);
    bool confined = confine_enter(c->confine, said + 1) == 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    guard_begin(LOAD_LIMIT);
    events_close(c->events);
    if (c->redis)
        redis_forget(c->redis);
    if (c->watch)
        redis_forget(c->watch);
    if (c->control)
        redis_forget(c->control);
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

/* What the throw-away process has to say; its end closes the pipe. Nobody waits for scripts that do
 * not come to an end once this program is told to leave. */
static void hear(struct events *ev, pid_t pid, int fd, char *text, size_t size)
{
    size_t got = 0;
    ssize_t n = 1;
    ev->fd[EVENTS_REPORT] = fd;
    while (n > 0) {
        if (told_to_leave(ev))
            kill(pid, SIGKILL);
        unsigned seen = events_wait(ev, EVENTS_BIT(EVENTS_REPORT), CLOCK_NEVER);
        if (!(seen & EVENTS_BIT(EVENTS_REPORT)))
            continue;
        n = read(fd, text + got, size - 1 - got);
        got += n > 0 ? (size_t)n : 0;
        if (n < 0 && errno == EINTR)
            n = 1;
    }
    text[got] = '\0';
    ev->fd[EVENTS_REPORT] = -1;
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

/* NO_INCLUDE: there is nothing to load before a job names its class. */
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
    if (!c->options->include)
        return check_folder(why, size);
    if (pipe2(ends, O_CLOEXEC) < 0) {
        snprintf(why, size, "pipe: %s", strerror(errno));
        return -1;
    }
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        check_in_child(c, ends[1]);
    int error = errno;
    close(ends[1]);
    if (pid > 0) {
        hear(c->events, pid, ends[0], text, sizeof text);
        waitpid(pid, &status, 0);
    }
    close(ends[0]);
    errno = error;
    return judge(pid, status, text, why, size);
}

int include_check_say(const struct include_check *c)
{
    char why[INCLUDE_CHECK_WHY];
    const char *include = c->options->include;
    if (include_check_run(c, why, sizeof why) == 0)
        return 0;
    if (include)
        log_error("APP_INCLUDE %s cannot be loaded: %s", include, why);
    else
        log_error("NO_INCLUDE: %s", why);
    return -1;
}
