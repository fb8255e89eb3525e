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
#include "manager/accounting.h"
#include "manager/crew.h"
#include "manager/member.h"
#include "manager/orders.h"
#include "manager/wakeup.h"
#include "os/background.h"
#include "os/confine.h"
#include "os/folder.h"
#include "os/kernel.h"
#include "os/pidfile.h"
#include "os/title.h"

#define START_LOOK 0.02     /* seconds between looks at workers that are starting */
#define CONNECT_TIMEOUT 5.0 /* seconds */

struct manager {
    const struct options *options;
    struct events events;
    struct background background;
    struct pidfile pidfile;
    struct crew crew;
    struct confine confine;
    struct lua_State *prepared; /* what every job's process starts from */
    struct accounting accounting;
    struct wakeup wakeup; /* watch is NULL without BLOCKING */
    struct orders orders;
    bool stopping, paused;
    int shown; /* how many workers the title tells of */
    int exit_code;
};

static int check_include(struct manager *m)
{
    const struct include_check check = {m->options, &m->confine, &m->events, m->crew.board};
    return include_check_say(&check);
}

/* --- chores --- */

static void look_at_accounts(struct manager *m)
{
    accounting_look(&m->accounting, m->stopping);
}

static int64_t accounts_deadline(const struct manager *m)
{
    return accounting_deadline(&m->accounting);
}

static void close_accounts(struct manager *m)
{
    accounting_close(&m->accounting, m->stopping);
}

static void look_at_wakeup(struct manager *m)
{
    if (m->wakeup.watch)
        crew_wake(&m->crew, wakeup_look(&m->wakeup, crew_any_idle(&m->crew)));
}

static int64_t wakeup_is_due(const struct manager *m)
{
    return m->wakeup.watch ? wakeup_deadline(&m->wakeup) : CLOCK_NEVER;
}

static void close_wakeup(struct manager *m)
{
    wakeup_close(&m->wakeup);
}

static void look_at_orders(struct manager *m)
{
    orders_look(&m->orders, &m->crew);
}

static int64_t orders_are_due(const struct manager *m)
{
    return orders_deadline(&m->orders);
}

static void close_orders(struct manager *m)
{
    orders_close(&m->orders);
}

/* The duties of a manager besides its workers. A new one is a file and a row. */
static const struct chore {
    void (*look)(struct manager *m);              /* does what is due, and never waits long */
    int64_t (*deadline)(const struct manager *m); /* when it is to be called again at the latest */
    void (*close)(struct manager *m);             /* also where it was never opened */
} chores[] = {
    {look_at_accounts, accounts_deadline, close_accounts},
    {look_at_wakeup, wakeup_is_due, close_wakeup},
    {look_at_orders, orders_are_due, close_orders},
};

#define CHORES (sizeof chores / sizeof *chores)

/* --- workers --- */

static struct member_context member_context(struct manager *m)
{
    return (struct member_context){.options = m->options,
                                   .confine = &m->confine,
                                   .prepared = m->prepared,
                                   .board = m->crew.board,
                                   .events = &m->events,
                                   .wakes = m->wakeup.watch,
                                   .paused = m->paused};
}

/* Its job's processes go first: a job must not run any more when it is recorded as failed. */
static void bury(struct manager *m, struct member *member, int status)
{
    pid_t pid = member->pid;
    STOP_AT("bury");
    member_ended(member);
    crew_end_orphans(&m->crew);
    accounting_owe(&m->accounting, member->slot);
    int code = member_judge(member, pid, status, m->stopping);
    if (code != EXIT_DONE)
        m->exit_code = code;
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
    if (m->background.hangs_up) { /* the terminal is gone, and so is who was watching */
        m->stopping = true;
        crew_stop(&m->crew, SIGTERM);
        return;
    }
    folder_follow(m->options->scripts.folder);
    if (log_reopen() < 0)
        log_error("cannot open the log file again: %s", strerror(errno));
    if (check_include(m) == 0 && m->options->scripts.include)
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
        const struct member_context context = member_context(m);
        if (!m->stopping)
            member_start(member, &context);
    }
}

/* --- from start to end --- */

/* The first connection decides whether there is a start; later ones are tried for ever. So is this
 * one while the server is there but busy with itself: both may have been started with the machine.
 */
static int connect_first(struct manager *m)
{
    struct scripts *scripts = &m->accounting.scripts;
    struct backoff backoff = {0};
    const char *hint, *why, *where = redis_where(scripts->redis);
    while ((why = scripts_reach(scripts, CONNECT_TIMEOUT, &hint)) && scripts_will_pass(why) &&
           !m->stopping) {
        log_at(backoff.seconds > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
               "Redis at %s: %s; waiting until that has passed (hint: %s)", where, why, hint);
        int64_t until = backoff_next(&backoff, BACKOFF_CONNECT);
        while (clock_ms() < until && !m->stopping) {
            events_wait(&m->events, 0, events_deadline(&m->events, until));
            take_signals(m);
        }
    }
    if (!why || m->stopping)
        return 0;
    log_error("Redis at %s: %s", where, why);
    log_error("hint: %s", hint);
    return -1;
}

/* This process and its name. An exit code, as the next two. */
static int open_process(struct manager *m)
{
    const struct options *options = m->options;
    char err[512];
    if (events_open(&m->events, NULL, true) < 0 || crew_open(&m->crew, options->work.count) < 0) {
        log_error("cannot start: %s", strerror(errno));
        return EXIT_FAILED;
    }
    if (options->process.pidfile &&
        pidfile_open(&m->pidfile, options->process.pidfile, err, sizeof err) < 0) {
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
    int code = confine_open(&m->confine, options->isolation.job_user,
                            options->isolation.sandbox_strict, err, sizeof err);
    if (code != EXIT_DONE) {
        log_error_lines(err);
        return code;
    }
    if (options->isolation.sandbox_strict && m->confine.filter.missing)
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
    accounting_open(&m->accounting, options, &m->events);
    orders_open(&m->orders, &options->address, &m->events, options->fleet.prefix);
    if (connect_first(m) < 0)
        return EXIT_REDIS;
    if (options->work.blocking && options->work.interval > 0)
        wakeup_open(&m->wakeup, &options->address, &m->events, m->accounting.redis,
                    options->fleet.prefix, options->work.queues);
    else if (options->work.blocking)
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
    for (size_t i = 0; i < CHORES; i++)
        chores[i].close(m);
    job_state_discard(m->prepared);
    confine_close(&m->confine);
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
    int64_t until = insist_deadline(&m->crew.insist);
    if (!has_work(m))
        return 0;
    for (size_t i = 0; i < CHORES; i++)
        until = clock_sooner(until, chores[i].deadline(m));
    if (!m->stopping)
        until = clock_sooner(until, crew_restart_at(&m->crew));
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
        for (size_t i = 0; i < CHORES; i++)
            chores[i].look(m);
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
    if (options->process.background) {
        int code = background_start(&m->background);
        if (code >= 0)
            return code;
    }
    title_set("Starting");
    m->background.hangs_up = background_hangs_up();
    events_init_plain(&m->events);
    int code = open_manager(m);
    if (code == EXIT_DONE) {
        look_at_accounts(m); /* before there are workers of its own */
        look_after_workers(m);
        code = m->exit_code;
    }
    background_ready(&m->background, code);
    close_manager(m);
    return code;
}
