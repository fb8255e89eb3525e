/* manager.c - see manager.h. It never touches a queue: workers take jobs, the manager looks after
 * workers. */
#include "manager/manager.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
#include "redis/redis.h"

#define START_LOOK 0.02 /* seconds between looks at workers that are starting */

/* The chores besides looking after workers, in the order in which they are done. */
enum { ACCOUNTING, WAKEUP, ORDERS, CHORES };
static const struct chore *const chores[CHORES] = {
    [ACCOUNTING] = &accounting_chore, [WAKEUP] = &wakeup_chore, [ORDERS] = &orders_chore};

struct manager {
    const struct options *options;
    struct events events;
    struct background background;
    struct pidfile pidfile;
    struct crew crew;
    struct confine confine;
    struct lua_State *prepared; /* what every job's process starts from */
    struct redis *redis;
    void *chores[CHORES];          /* what the `open` of each gave */
    struct accounting *accounting; /* one of them */
    int shown;                     /* how many workers the title tells of */
};

static int check_include(struct manager *m)
{
    const struct include_check check = {m->options, &m->confine, &m->events, m->crew.board};
    return include_check_say(&check);
}

/* --- workers --- */

static struct member_context member_context(struct manager *m)
{
    return (struct member_context){.options = m->options,
                                   .confine = &m->confine,
                                   .prepared = m->prepared,
                                   .board = m->crew.board,
                                   .events = &m->events,
                                   .wakes = m->chores[WAKEUP] != NULL,
                                   .paused = m->crew.paused};
}

/* Ends what a dead worker left, then notes the death: a job recorded as failed must not run. */
static void bury(struct manager *m, struct member *member, int status)
{
    pid_t pid = member->pid;
    STOP_AT("bury");
    member_ended(member);
    crew_end_orphans(&m->crew);
    accounting_owe(m->accounting, member->slot);
    int code = member_judge(member, pid, status, m->crew.stopping);
    if (code != EXIT_DONE)
        m->crew.exit_code = code;
}

/* Reaps every process that ended, also an orphan, a stranger, or, for a manager that is PID 1,
 * anybody's child. */
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
    if (m->background.hangs_up) { /* the terminal is gone, and so is its user */
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
    crew_take_stops(&m->crew, &m->events);
    if (events_take(&m->events, SIGUSR1))
        crew_signal(&m->crew, SIGUSR1);
    if (events_take(&m->events, SIGUSR2))
        crew_pause(&m->crew, true);
    if (events_take(&m->events, SIGCONT))
        crew_pause(&m->crew, false);
    if (events_take(&m->events, SIGHUP))
        hang_up(m);
    if (events_take(&m->events, SIGCHLD))
        reap(m);
}

/* Starts the members that are due. Signals from before a worker are not meant for its job. */
static void start_due(struct manager *m)
{
    for (int i = 0; i < m->crew.count; i++) {
        struct member *member = &m->crew.members[i];
        if (member->pid || m->crew.stopping || clock_ms() < member->restart_at)
            continue;
        STOP_AT("start_worker");
        events_wait(&m->events, 0, 0);
        take_signals(m);
        const struct member_context context = member_context(m);
        if (!m->crew.stopping)
            member_start(member, &context);
    }
}

/* --- from start to end --- */

/* Makes the first connection, which decides whether there is a start; later ones are tried for
 * ever. So is this one while the server is busy with itself: both may have been started with the
 * machine. */
static int connect_first(struct manager *m)
{
    int64_t again_at;
    while (!m->crew.stopping && accounting_reach(m->accounting, &again_at) < 0) {
        if (again_at == CLOCK_NEVER)
            return -1;
        while (clock_ms() < again_at && !m->crew.stopping) {
            events_wait(&m->events, 0, events_deadline(&m->events, again_at));
            take_signals(m);
        }
    }
    return 0;
}

/* Opens what this process itself needs. Returns an exit code, as the next three. */
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

/* Opens what jobs need: confinement, scripts, a prepared state. */
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
    m->redis = redis_new(&m->options->address, &m->events);
    const struct chore_context context = {m->options, &m->events, &m->crew, m->redis};
    for (int i = 0; i < CHORES; i++)
        m->chores[i] = chores[i]->open(&context);
    m->accounting = m->chores[ACCOUNTING];
    return connect_first(m) < 0 ? EXIT_REDIS : EXIT_DONE;
}

/* Opens everything that can refuse to start, in an order that leaves nothing behind. */
static int open_manager(struct manager *m)
{
    int code = open_process(m);
    if (code == EXIT_DONE)
        code = open_jobs(m);
    return code == EXIT_DONE ? open_redis(m) : code;
}

static void close_manager(struct manager *m)
{
    for (int i = 0; i < CHORES; i++)
        if (m->chores[i])
            chores[i]->close(m->chores[i]);
    job_state_discard(m->prepared);
    confine_close(&m->confine);
    redis_free(m->redis);
    pidfile_close(&m->pidfile);
    crew_close(&m->crew);
    events_close(&m->events);
}

/* Whether a worker runs, or is to be started. */
static bool has_work(const struct manager *m)
{
    return crew_running(&m->crew) ||
           (!m->crew.stopping && crew_restart_at(&m->crew) != CLOCK_NEVER);
}

static int64_t next_deadline(const struct manager *m)
{
    int64_t until = insist_deadline(&m->crew.insist);
    if (!has_work(m))
        return 0;
    for (int i = 0; i < CHORES; i++)
        if (m->chores[i])
            until = clock_sooner(until, chores[i]->deadline(m->chores[i]));
    if (!m->crew.stopping)
        until = clock_sooner(until, crew_restart_at(&m->crew));
    if (m->background.ready_fd >= 0) /* workers show on the board that they have started */
        until = clock_sooner(until, clock_after(START_LOOK));
    return until;
}

/* Lets the command of BACKGROUND return once the workers are past all that can refuse to start. */
static void tell_start(struct manager *m)
{
    if (m->crew.exit_code == EXIT_DONE && crew_all_started(&m->crew))
        background_ready(&m->background, EXIT_DONE);
}

/* Does each chore. Returns the slots that they wait for. */
static unsigned do_chores(struct manager *m)
{
    unsigned slots = 0;
    for (int i = 0; i < CHORES; i++)
        if (m->chores[i]) {
            chores[i]->look(m->chores[i]);
            slots |= chores[i]->slots;
        }
    return slots;
}

static void look_after_workers(struct manager *m)
{
    while (has_work(m)) {
        start_due(m);
        show_title(m);
        tell_start(m);
        unsigned slots = do_chores(m);
        events_wait(&m->events, slots, events_deadline(&m->events, next_deadline(m)));
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
        accounting_chore.look(m->accounting); /* before there are workers of its own */
        look_after_workers(m);
        code = m->crew.exit_code;
    }
    background_ready(&m->background, code);
    close_manager(m);
    return code;
}
