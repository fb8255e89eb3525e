/* manager.c - see manager.h. It never touches a queue: workers take jobs, the manager looks after
 * workers. */
#include "manager/manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stopat.h"
#include "child/include_check.h"
#include "child/job_state.h"
#include "manager/crew.h"
#include "manager/orders.h"
#include "manager/prune.h"
#include "manager/wakeup.h"
#include "os/background.h"
#include "os/confine.h"
#include "os/folder.h"
#include "os/guard.h"
#include "os/kernel.h"
#include "os/pidfile.h"
#include "os/signals.h"
#include "os/title.h"
#include "redis/redis.h"
#include "redis/scripts.h"
#include "worker/worker.h"

#define START_LOOK 0.02     /* seconds between looks at workers that are starting */
#define CONNECT_TIMEOUT 5.0 /* seconds */
#define STEADY 10.0         /* a worker that lived this many seconds is restarted at once */
#define RESTART_PAUSE 0.1   /* seconds from which the pauses of other restarts grow */

struct manager {
    const struct options *options;
    struct events events;
    struct background background;
    struct pidfile pidfile;
    struct crew crew;
    struct redis *redis;
    struct scripts scripts;
    struct confine confine;
    struct lua_State *prepared;   /* what every job's process starts from */
    struct backoff backoff;       /* of the connection */
    int64_t connect_at, prune_at; /* not before: the next try of Redis; the next look */
    struct prune prune;
    struct wakeup wakeup; /* watch is NULL without BLOCKING */
    struct orders control;
    bool hangs_up; /* see background_hangs_up */
    bool stopping, paused;
    int shown; /* how many workers the title tells of */
    int exit_code;
};

static int check_include(struct manager *m)
{
    const struct include_check check = {m->options, &m->confine,     &m->events,      m->crew.board,
                                        m->redis,   m->wakeup.watch, m->control.redis};
    return include_check_say(&check);
}

/* --- Redis --- */

static bool connected(struct manager *m)
{
    if (!redis_connected(m->redis) && clock_ms() < m->connect_at)
        return false;
    if (scripts_connected(&m->scripts, m->stopping ? SCRIPTS_FAREWELL : CONNECT_TIMEOUT))
        return true;
    m->connect_at = backoff_next(&m->backoff, BACKOFF_CONNECT);
    return false;
}

/* Tells Redis about workers of ours that died; what cannot be told now is told later. */
static void account_for_dead(struct manager *m)
{
    if (!m->prune.debt_count || clock_ms() < m->connect_at || !connected(m))
        return;
    STOP_AT("account");
    int paid = prune_pay(&m->prune);
    if (paid >= 0) {
        backoff_reset(&m->backoff);
        m->prune_at = paid ? 0 : m->prune_at;
        STOP_AT("accounted");
        return;
    }
    log_at(m->backoff.seconds > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
           "a worker that died is not accounted for yet: %s", m->scripts.error);
    bool answers = redis_connected(m->redis);
    m->connect_at = backoff_next(&m->backoff, answers ? BACKOFF_REFUSED : BACKOFF_CONNECT);
}

static void look_for_dead(struct manager *m)
{
    if (clock_ms() < m->prune_at || !connected(m))
        return;
    m->prune_at = clock_after(m->options->heartbeat);
    if (prune_look(&m->prune) < 0)
        log_warn("looking for dead workers failed: %s", m->scripts.error);
    else
        backoff_reset(&m->backoff);
}

/* --- workers --- */

static _Noreturn void be_worker(struct manager *m, struct member *member, pid_t manager,
                                int wakeup_fd)
{
    struct worker_context context = {m->options,
                                     &m->confine,
                                     m->prepared,
                                     m->crew.board,
                                     member->slot,
                                     wakeup_fd,
                                     &m->events.original_mask,
                                     manager};
    pidfile_forget(&m->pidfile); /* first: while it is held here, no other manager can start */
    STOP_AT("born");
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGQUIT); /* without a manager: finish the job and leave */
    if (getppid() != manager)
        _exit(WORKER_STOPPED);
    redis_forget(m->redis);
    wakeup_forget(&m->wakeup);
    orders_forget(&m->control);
    events_close(&m->events);
    background_forget(&m->background);
    background_empty_stdin();
    crew_forget(&m->crew);
    int code = (int)worker_run(&context);
    fflush(NULL);
    _exit(code);
}

static int open_wakeup_pipe(struct manager *m, int ends[2])
{
    ends[0] = ends[1] = -1;
    if (!m->wakeup.watch)
        return 0;
    return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

static void close_end(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* 0, or -1 with errno: there is no process. */
static int fork_member(struct manager *m, struct member *member)
{
    int ends[2];
    pid_t manager = getpid();
    if (open_wakeup_pipe(m, ends) < 0)
        return -1;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close_end(ends[1]);
        be_worker(m, member, manager, ends[0]);
    }
    int error = errno;
    close_end(ends[0]);
    if (pid < 0) {
        close_end(ends[1]);
        errno = error;
        return -1;
    }
    member->pid = pid;
    member->wakeup_fd = ends[1];
    return 0;
}

static void start_member(struct manager *m, struct member *member)
{
    memset(member->slot, 0, sizeof *member->slot);
    member->started_at = clock_ms();
    member->restart_at = CLOCK_NEVER;
    if (fork_member(m, member) < 0) {
        log_error("cannot start a worker: %s", strerror(errno));
        member->restart_at = backoff_next(&member->backoff, BACKOFF_REFUSED);
        return;
    }
    setpgid(member->pid, member->pid);
    if (m->paused) /* the pause is the user's word to all, present and future */
        kill(member->pid, SIGUSR2);
}

/* At once; soon after such a restart, later and later. */
static int64_t restart_time(struct member *member)
{
    if (member->backoff.seconds > 0)
        return backoff_next(&member->backoff, BACKOFF_REFUSED);
    member->backoff.seconds = RESTART_PAUSE;
    return clock_ms();
}

/* What a worker's end means: how to say it, and whether another one takes its place. */
static void judge_end(struct manager *m, struct member *member, pid_t pid, int status)
{
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code == WORKER_HOOK_FAILED || code == WORKER_LEFT_JOBS) {
        m->exit_code = code == WORKER_HOOK_FAILED ? EXIT_INCLUDE : EXIT_FAILED;
        return;
    }
    if (m->stopping || code == WORKER_EMPTY)
        return;
    if (code == WORKER_STOPPED)
        log_notice("worker process %d was told to leave; starting another", (int)pid);
    else if (WIFSIGNALED(status))
        log_error("worker process %d was killed by %s%s; starting another", (int)pid,
                  signals_name(WTERMSIG(status)),
                  WTERMSIG(status) == GUARD_SIGNAL ? ", as a hook did not end" : "");
    else
        log_error("worker process %d ended with exit code %d; starting another", (int)pid, code);
    if (code == WORKER_STOPPED || clock_ms() - member->started_at > (int64_t)(STEADY * 1000))
        backoff_reset(&member->backoff);
    member->restart_at = restart_time(member);
}

/* Its job's processes go first: a job must not run any more when it is recorded as failed. */
static void bury(struct manager *m, struct member *member, int status)
{
    pid_t pid = member->pid;
    STOP_AT("bury");
    member->pid = 0;
    crew_end_orphans(&m->crew);
    if (member->slot->worker_id[0])
        prune_owe(&m->prune, member->slot->worker_id, member->slot->nonce,
                  member->slot->started_token);
    else
        m->prune_at = 0; /* it may have registered and not come to say so */
    close_end(member->wakeup_fd);
    member->wakeup_fd = -1;
    judge_end(m, member, pid, status);
}

/* Everything that ended, also what is no worker: an orphan, a stranger, or, for a manager that is
 * PID 1, anybody's child. */
static void reap(struct manager *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0 || (pid < 0 && errno == EINTR)) {
        struct member *member = pid > 0 ? crew_reaped(&m->crew, pid) : NULL;
        if (member)
            bury(m, member, status);
    }
}

static void show_title(struct manager *m)
{
    if (m->shown == crew_running(&m->crew))
        return;
    m->shown = crew_running(&m->crew);
    title_set("Monitoring %d children", m->shown);
}

/* --- signals --- */

static void hang_up(struct manager *m)
{
    if (m->hangs_up) { /* the terminal is gone, and so is who was watching */
        m->stopping = true;
        crew_stop(&m->crew, SIGTERM);
        return;
    }
    folder_follow(m->options->folder);
    if (log_reopen() < 0)
        log_error("cannot open the log file again: %s", strerror(errno));
    if (check_include(m) == 0 && m->options->include)
        log_notice("APP_INCLUDE is fine");
    crew_signal(&m->crew, SIGHUP);
}

static void take_signals(struct manager *m)
{
    if (crew_take_stops(&m->crew, &m->events))
        m->stopping = true;
    if (events_take(&m->events, SIGUSR1))
        crew_signal(&m->crew, SIGUSR1);
    if (events_take(&m->events, SIGUSR2)) {
        m->paused = true;
        crew_signal(&m->crew, SIGUSR2);
    }
    if (events_take(&m->events, SIGCONT)) {
        m->paused = false;
        crew_signal(&m->crew, SIGCONT);
    }
    if (events_take(&m->events, SIGHUP))
        hang_up(m);
    if (events_take(&m->events, SIGCHLD))
        reap(m);
}

/* Signals that came before there is this worker are not meant for its job. */
static void start_due(struct manager *m)
{
    for (int i = 0; i < m->crew.count; i++) {
        struct member *member = &m->crew.members[i];
        if (member->pid || m->stopping || clock_ms() < member->restart_at)
            continue;
        STOP_AT("start_worker");
        events_wait(&m->events, 0, 0);
        take_signals(m);
        if (!m->stopping)
            start_member(m, member);
    }
}

/* --- from start to end --- */

/* The first connection decides whether there is a start; later ones are tried for ever. So is this
 * one while the server is there but busy with itself: both may have been started with the machine.
 */
static int connect_first(struct manager *m)
{
    const char *hint, *why;
    while ((why = scripts_reach(&m->scripts, CONNECT_TIMEOUT, &hint)) && scripts_will_pass(why) &&
           !m->stopping) {
        log_at(m->backoff.seconds > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
               "Redis at %s: %s; waiting until that has passed (hint: %s)", redis_where(m->redis),
               why, hint);
        int64_t until = backoff_next(&m->backoff, BACKOFF_CONNECT);
        while (clock_ms() < until && !m->stopping) {
            events_wait(&m->events, 0, events_deadline(&m->events, until));
            take_signals(m);
        }
    }
    backoff_reset(&m->backoff);
    if (!why || m->stopping)
        return 0;
    log_error("Redis at %s: %s", redis_where(m->redis), why);
    log_error("hint: %s", hint);
    return -1;
}

/* This process and its name. An exit code, as the next two. */
static int open_process(struct manager *m)
{
    const struct options *options = m->options;
    char err[512];
    if (events_open(&m->events, NULL, true) < 0 || crew_open(&m->crew, options->count) < 0) {
        log_error("cannot start: %s", strerror(errno));
        return EXIT_FAILED;
    }
    if (options->pidfile && pidfile_open(&m->pidfile, options->pidfile, err, sizeof err) < 0) {
        log_error_lines(err);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

/* Whether jobs can be run as they are to be. */
static int open_jobs(struct manager *m)
{
    const struct options *options = m->options;
    char err[512];
    int code =
        confine_open(&m->confine, options->job_user, options->sandbox_strict, err, sizeof err);
    if (code != EXIT_DONE) {
        log_error_lines(err);
        return code;
    }
    if (options->sandbox_strict && m->confine.filter.missing)
        log_warn("SANDBOX=strict without seccomp (%s): scripts are confined in Lua alone",
                 m->confine.filter.missing);
    if (check_include(m) < 0)
        return EXIT_INCLUDE;
    m->prepared = job_state_prepare(options, err, sizeof err);
    if (!m->prepared) {
        log_error("%s", err);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int open_redis(struct manager *m)
{
    const struct options *options = m->options;
    const struct source_context source = {options->lua_path};
    m->redis = redis_new(&options->address, &m->events);
    scripts_open(&m->scripts, m->redis, options->prefix, &source);
    prune_open(&m->prune, &m->scripts, options->prune);
    orders_open(&m->control, &options->address, &m->events, options->prefix);
    if (connect_first(m) < 0)
        return EXIT_REDIS;
    if (options->blocking && options->interval > 0)
        wakeup_open(&m->wakeup, &options->address, &m->events, m->redis, options->prefix,
                    options->queues);
    else if (options->blocking)
        log_warn("BLOCKING is ignored: INTERVAL=0 means to leave when the queues are empty");
    return EXIT_DONE;
}

/* Everything that can refuse to start, in an order that leaves nothing behind. An exit code. */
static int open_manager(struct manager *m)
{
    int code = open_process(m);
    if (code == EXIT_DONE)
        code = open_jobs(m);
    return code == EXIT_DONE ? open_redis(m) : code;
}

static void close_manager(struct manager *m)
{
    m->scripts.patience = SCRIPTS_FAREWELL;
    for (int tries = 2; tries && m->prune.debt_count; tries--) { /* as in session_close */
        m->connect_at = 0;
        account_for_dead(m);
    }
    wakeup_close(&m->wakeup);
    orders_close(&m->control);
    prune_close(&m->prune);
    scripts_close(&m->scripts);
    job_state_discard(m->prepared);
    confine_close(&m->confine);
    redis_free(m->redis);
    pidfile_close(&m->pidfile);
    crew_close(&m->crew);
    events_close(&m->events);
}

/* Somebody works, or will again. */
static bool has_work(const struct manager *m)
{
    return crew_running(&m->crew) || (!m->stopping && crew_restart_at(&m->crew) != CLOCK_NEVER);
}

static int64_t next_deadline(const struct manager *m)
{
    int64_t until = m->prune_at;
    if (!has_work(m))
        return 0;
    if (!redis_connected(m->redis) && m->connect_at > until)
        until = m->connect_at;
    if (!m->stopping)
        until = clock_sooner(until, crew_restart_at(&m->crew));
    if (m->prune.debt_count)
        until = clock_sooner(until, m->connect_at);
    if (m->wakeup.watch)
        until = clock_sooner(until, wakeup_deadline(&m->wakeup));
    until = clock_sooner(until, orders_deadline(&m->control));
    until = clock_sooner(until, insist_deadline(&m->crew.insist));
    if (m->background.ready_fd >= 0) /* workers show on the board that they have started */
        until = clock_sooner(until, clock_after(START_LOOK));
    return until;
}

/* BACKGROUND: the command returns when the workers are past what can refuse to start. */
static void tell_start(struct manager *m)
{
    if (m->exit_code == EXIT_DONE && crew_all_started(&m->crew))
        background_ready(&m->background, EXIT_DONE);
}

static void look_after_workers(struct manager *m)
{
    while (has_work(m)) {
        start_due(m);
        show_title(m);
        tell_start(m);
        account_for_dead(m);
        look_for_dead(m);
        if (m->wakeup.watch)
            crew_wake(&m->crew, wakeup_look(&m->wakeup, crew_any_idle(&m->crew)));
        orders_look(&m->control, &m->crew);
        events_wait(&m->events, EVENTS_BIT(EVENTS_WATCH) | EVENTS_BIT(EVENTS_ORDERS),
                    events_deadline(&m->events, next_deadline(m)));
        take_signals(m);
    }
}

int manager_run(const struct options *options)
{
    struct manager manager = {.options = options, .background.ready_fd = -1};
    struct manager *m = &manager;
    if (kernel_look() < 0)
        return EXIT_FAILED;
    if (options->background) {
        int code = background_start(&m->background);
        if (code >= 0)
            return code;
    }
    title_set("Starting");
    m->hangs_up = background_hangs_up();
    events_init_plain(&m->events);
    int code = open_manager(m);
    if (code == EXIT_DONE) {
        look_for_dead(m);
        look_after_workers(m);
        code = m->exit_code;
    }
    background_ready(&m->background, code);
    close_manager(m);
    return code;
}
