/* member.c - see member.h. */
#include "manager/member.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "base/stopat.h"
#include "os/background.h"
#include "os/descriptors.h"
#include "os/guard.h"
#include "os/signals.h"
#include "worker/worker.h"

#define STEADY 10.0       /* a worker that lived this many seconds is restarted at once */
#define RESTART_PAUSE 0.1 /* seconds from which the pauses of other restarts grow */

/* The worker's half of the fork. It first closes what is the manager's: while it holds the PID
 * file, no other manager can start. */
static _Noreturn void be_worker(const struct member *member, const struct member_context *context,
                                pid_t manager, int wakeup_fd)
{
    const struct worker_context worker = {.options = context->options,
                                          .confine = context->confine,
                                          .prepared = context->prepared,
                                          .board = context->board,
                                          .slot = member->slot,
                                          .wakeup_fd = wakeup_fd,
                                          .original_mask = &context->events->original_mask,
                                          .manager = manager};
    descriptors_let_go();
    STOP_AT("born");
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* without a manager: finish the job and leave */
    if (getppid() != manager)
        _exit(WORKER_STOPPED);
    background_empty_stdin();
    int code = (int)worker_run(&worker);
    fflush(NULL);
    _exit(code);
}

static int open_wakeup_pipe(bool wakes, int ends[2])
{
    ends[0] = ends[1] = -1;
    if (!wakes)
        return 0;
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

static void close_end(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* Forks the process. 0, or -1 with errno. */
static int fork_worker(struct member *member, const struct member_context *context)
{
    int ends[2];
    pid_t manager = getpid();
    if (open_wakeup_pipe(context->wakes, ends) < 0)
        return -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close_end(ends[1]);
        be_worker(member, context, manager, ends[0]);
    }
    int error = errno;
    close_end(ends[0]);
    if (pid < 0) {
        close_end(ends[1]);
        errno = error;
        return -1;
    }
    member->pid = pid;
    member->wakeup_fd = descriptors_own(ends[1]);
    return 0;
}

void member_start(struct member *member, const struct member_context *context)
{
    memset(member->slot, 0, sizeof *member->slot);
    member->started_at = clock_ms();
    member->restart_at = CLOCK_NEVER;
    if (fork_worker(member, context) < 0) {
        log_error("cannot start a worker: %s", strerror(errno));
        member->restart_at = backoff_next(&member->backoff, BACKOFF_REFUSED);
        return;
    }
    setpgid(member->pid, member->pid);
    if (context->paused)
        kill(member->pid, SIGUSR2);
}

/* When to start the member again: at once, then later and later until member_judge resets that. */
static int64_t restart_time(struct member *member)
{
    if (member->backoff.seconds > 0)
        return backoff_next(&member->backoff, BACKOFF_REFUSED);
    member->backoff.seconds = RESTART_PAUSE;
    return clock_ms();
}

void member_ended(struct member *member)
{
    member->pid = 0;
    descriptors_close(member->wakeup_fd);
    member->wakeup_fd = -1;
}

static void say_end(pid_t pid, int status, int code)
{
    if (code == WORKER_STOPPED)
        log_notice("worker process %d was told to leave; starting another", (int)pid);
    else if (WIFSIGNALED(status))
        log_error("worker process %d was killed by %s%s; starting another", (int)pid,
                  signals_name(WTERMSIG(status)),
                  WTERMSIG(status) == GUARD_SIGNAL ? ", as a hook did not end" : "");
    else
        log_error("worker process %d ended with exit code %d; starting another", (int)pid, code);
}

int member_judge(struct member *member, pid_t pid, int status, bool stopping)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == WORKER_HOOK_FAILED)
        return EXIT_INCLUDE;
    if (code == WORKER_LEFT_JOBS)
        return EXIT_FAILED;
    if (stopping || code == WORKER_EMPTY)
        return EXIT_DONE;
    say_end(pid, status, code);
    if (code == WORKER_STOPPED || clock_ms() - member->started_at > (int64_t)(STEADY * 1000))
        backoff_reset(&member->backoff);
    member->restart_at = restart_time(member);
    return EXIT_DONE;
}
