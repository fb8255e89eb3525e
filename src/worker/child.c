/* child.c - see child.h. Today a fork for each job. */
#include "worker/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/children.h"
#include "os/procfs.h"
#include "os/title.h"

/* Seconds for which a job's reports and output wait in its pipes. Most jobs are over by then, and
 * waking up for each frame would cost them more than all else the worker does; a result too large
 * for the pipe is read after. */
#define REPORT_WAITS 0.02
#define ON_FAILURE_LIMIT 5.0 /* seconds */
#define SWEEP_LIMIT 1.0      /* seconds of killing what a job left behind */

/* The slots by which a running job tells something. */
#define TOLD (EVENTS_BIT(EVENTS_REPORT) | EVENTS_BIT(EVENTS_STDOUT) | EVENTS_BIT(EVENTS_STDERR))

/* --- in the worker: what it tells, and its end --- */

static void read_report(struct child *c, struct events *ev)
{
    if (report_read(&c->report, c->report_fd))
        return;
    events_unwatch(ev, EVENTS_REPORT); /* nothing more comes; the pidfd tells the rest */
    close(c->report_fd);               /* a job that still writes must not wait for us */
    c->report_fd = -1;
}

static int64_t milliseconds(struct timeval time)
{
    return (int64_t)time.tv_sec * 1000 + time.tv_usec / 1000;
}

static void note_usage(struct child *c, const struct rusage *used)
{
    struct timeval cpu;
    timeradd(&used->ru_utime, &used->ru_stime, &cpu);
    c->usage = (struct usage){.known = true,
                              .wall_ms = clock_ms() - c->started_at,
                              .cpu_ms = milliseconds(cpu),
                              .peak_kb = used->ru_maxrss};
}

/* Kills the job's group, then reaps its leader: until then nobody else can have its number. */
static void reap(struct child *c, struct events *ev)
{
    struct rusage used;
    kill(-c->pid, SIGKILL);
    if (wait4(c->pid, &c->wait_status, 0, &used) == c->pid)
        note_usage(c, &used);
    else if (errno == EINTR)
        return; /* the pidfd stays ready */
    c->ended = true;
    if (events_watches(ev, EVENTS_REPORT))
        read_report(c, ev);
    if (c->report_fd >= 0) /* somebody still has the other end: was that all? */
        c->report.broken = true;
}

/* --- starting --- */

static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* The worker's half of a successful fork. A process that cannot be watched is ended at once; its
 * reports by then tell whether the job had started. */
static void adopt(struct child *c, struct events *ev, int read_end)
{
    setpgid(c->pid, c->pid); /* both do it, so that neither has to wait for the other */
    c->report_fd = read_end;
    c->pidfd = open_pidfd(c->pid);
    events_watch(ev, EVENTS_CHILD, c->pidfd, POLLIN);
    events_watch(ev, EVENTS_REPORT, c->report_fd, POLLIN);
    c->read_at = clock_after(REPORT_WAITS);
    if (c->pidfd >= 0)
        return;
    log_error("the job's process cannot be watched: pidfd_open: %s", strerror(errno));
    c->ladder.reason = KILL_UNWATCHED;
    kill(c->pid, SIGKILL);
    while (!c->ended)
        reap(c, ev);
}

/* Forks with a report pipe. In the new process: 1 and the pipe's writing end. */
static int fork_process(struct child *c, const struct child_context *context, int *write_end)
{
    int ends[2];
    *c = (struct child){.pidfd = -1, .report_fd = -1, .deadline.at = CLOCK_NEVER};
    c->started_at = clock_ms();
    ladder_init(&c->ladder, context->told);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    c->output = context->output;
    output_begin(c->output);
    fflush(NULL); /* else both would write what is buffered */
    pid_t worker = getpid();
    c->pid = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? -1 : fork();
    if (c->pid == 0) {
        close(ends[0]);
        isolate_begin(context, worker, ends[1]);
        *write_end = ends[1];
        return 1;
    }
    int error = errno;
    close(ends[1]);
    if (c->pid > 0) {
        adopt(c, context->events, ends[0]);
        return 0;
    }
    close(ends[0]);
    errno = error;
    return -1;
}

int child_start(struct child *c, const struct child_context *context, const struct job *job,
                const char *now)
{
    int report_fd;
    char title[TITLE_MOST];
    title_make(title, "Processing %s since %s [%s]", job->queue, now, job->class);
    int result = fork_process(c, context, &report_fd);
    if (result == 1) {
        title_show(title);
        isolate_run_job(context, job, report_fd);
    }
    c->deadline.from = c->started_at;
    deadline_set(&c->deadline, &c->report, context->options);
    return result;
}

/* --- killing --- */

void child_kill(struct child *c, const struct options *options, enum kill_reason why)
{
    if (!c->ended)
        ladder_begin(&c->ladder, options, why);
}

/* --- watching --- */

/* Raises oom_score_adj to 500, so that the kernel's OOM killer picks the job before the worker or a
 * Redis beside it. Jobs that end within REPORT_WAITS do without: the write costs more than it
 * saves. */
static void raise_oom_score(struct child *c)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)c->pid);
    c->oom_score_raised = true;
    int fd = procfs_is_ours() ? open(path, O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0 || write(fd, "500", 3) < 0)
        log_debug("oom_score_adj of a job: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* Takes those of the job's orphans that have ended from the process table: a job may run for days.
 * The job itself stays there until its group is killed. */
static void reap_orphans(const struct child *c)
{
    siginfo_t info = {0};
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
           info.si_pid != c->pid) {
        waitpid(info.si_pid, NULL, WNOHANG);
        info.si_pid = 0;
    }
}

/* Takes the steps that are due: a last look at the reports, the deadline, the ladder's next. */
static void attend(struct child *c, const struct options *options, struct events *ev)
{
    if (clock_ms() >= c->deadline.at && events_watches(ev, EVENTS_REPORT))
        read_report(c, ev); /* the job's table may have set another one */
    if (c->ladder.reason != KILL_TIMEOUT)
        deadline_set(&c->deadline, &c->report, options);
    if (clock_ms() >= c->deadline.at) {
        c->deadline.at = CLOCK_NEVER;
        ladder_time_is_up(&c->ladder, options, c->pid);
    }
    if (clock_ms() >= c->ladder.at)
        ladder_climb(&c->ladder, c->pid);
}

void child_wait(struct child *c, const struct options *options, struct events *ev, int64_t deadline)
{
    bool read_now = clock_ms() >= c->read_at;
    unsigned slots = EVENTS_BIT(EVENTS_CHILD) | (read_now ? TOLD : 0);
    int64_t until = clock_sooner(clock_sooner(c->ladder.at, c->deadline.at), deadline);
    if (!read_now)
        until = clock_sooner(until, c->read_at);
    output_watch(c->output, ev);
    unsigned seen = events_wait(ev, slots, until);
    if (seen & (EVENTS_BIT(EVENTS_STDOUT) | EVENTS_BIT(EVENTS_STDERR)))
        output_pass(c->output);
    if (seen & EVENTS_BIT(EVENTS_REPORT))
        read_report(c, ev);
    if (seen & EVENTS_BIT(EVENTS_CHILD))
        reap(c, ev);
    if (c->ended)
        return;
    attend(c, options, ev);
    if (!read_now)
        return;
    if (!c->oom_score_raised)
        raise_oom_score(c);
    reap_orphans(c);
}

/* --- what is left --- */

/* Kills every process that was handed to us because its parent, a part of the job, has ended. */
static void kill_adopted(void)
{
    pid_t list[64];
    int count = children_list(list, 64);
    for (int i = 0; i < count; i++)
        kill(list[i], SIGKILL);
}

/* Kills the job's orphans, which end up here as this is their subreaper; their own children follow
 * in the next round. False: some do not end. */
static bool sweep(void)
{
    useconds_t pause = 500;
    for (int64_t until = clock_after(SWEEP_LIMIT); clock_ms() < until;) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return true; /* no children left */
        if (pid > 0)
            continue;
        kill_adopted();
        usleep(pause);
        pause = 10000;
    }
    log_warn("a process that the job left behind does not end");
    return false;
}

void child_finish(struct child *c, struct events *ev)
{
    output_end(c->output, !sweep());
    static const enum events_slot slots[] = {EVENTS_CHILD, EVENTS_REPORT, EVENTS_STDOUT,
                                             EVENTS_STDERR};
    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        events_unwatch(ev, slots[i]);
    if (c->pidfd >= 0)
        close(c->pidfd);
    if (c->report_fd >= 0)
        close(c->report_fd);
    report_clear(&c->report);
}

/* --- onFailure --- */

int child_on_failure(struct child *c, const struct child_context *context, const struct job *job,
                     const char *exception, const char *message)
{
    int report_fd;
    int result = fork_process(c, context, &report_fd);
    if (result == 1)
        isolate_run_on_failure(context, job, report_fd, exception, message);
    ladder_kill_after(&c->ladder, ON_FAILURE_LIMIT);
    return result;
}

void child_hurry(struct child *c)
{
    ladder_hurry(&c->ladder);
}
