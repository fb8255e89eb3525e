/* worker.c - the life of a job, top to bottom: see worker_run at the end, then next_job, run,
 * commit above it.
 *
 * Where the job is if the power goes out: in its queue until next_job's reserve, then in
 * worker:<id> until commit, then done, in `failed`, or back in its queue. Each of those moves is
 * one script inside Redis. */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "backoff.h"
#include "background.h"
#include "child.h"
#include "clock.h"
#include "joblog.h"
#include "json_check.h"
#include "log.h"
#include "outcome.h"
#include "parent_hooks.h"
#include "redis.h"
#include "registry.h"
#include "reserve.h"
#include "scripts.h"
#include "stopat.h"
#include "title.h"
#include "unstarted.h"
#include "wishes.h"

#define CONNECT_TIMEOUT 5.0 /* seconds */
#define LEAVE_TIMEOUT 5.0   /* seconds for a job's end to a Redis that does not answer */
#define BEAT_TIMEOUT 1.0    /* seconds; a job's end or a signal may have to wait for it */
#define LOAD_WAIT 1.0       /* seconds after APP_INCLUDE could not be loaded, or fork failed */

struct worker {
    const struct options *options;
    struct lua_State *prepared; /* never run here; every job's process has its own copy */
    struct board *board;
    struct board_slot *slot;
    struct events events;
    struct redis *redis;
    struct scripts scripts;
    struct reserve reserve;
    struct registry registry;
    bool registered;
    struct wishes wishes;
    struct parent_hooks hooks;
    struct backoff backoff;
    int64_t rest_until; /* no new job before this */
    struct unstarted unstarted;
};

/* --- waiting --- */

static void take_signals(struct worker *w)
{
    wishes_take(&w->wishes, &w->events, w->options);
    if (w->wishes.refresh)
        w->rest_until = 0;
    w->wishes.refresh = false;
}

/* A sign of life when one is due. During a long job or pause nothing else notices that the
 * connection is gone, so this opens another. */
static void beat(struct worker *w)
{
    if (clock_ms() < w->registry.heartbeat_at)
        return;
    if (registry_beat(&w->registry) < 0 && redis_connect(w->redis, clock_after(BEAT_TIMEOUT)) == 0)
        registry_beat(&w->registry);
}

static bool wants_next(const struct worker *w)
{
    return w->wishes.leave == STAY && !w->wishes.pause && clock_ms() >= w->rest_until;
}

/* Waits for signals and, with EVENTS_WAKEUP in `slots`, for the manager; beats in passing. True:
 * woken up. */
static bool wait_until(struct worker *w, unsigned slots, int64_t deadline)
{
    deadline = events_deadline(&w->events, clock_sooner(deadline, w->registry.heartbeat_at));
    unsigned seen = events_wait(&w->events, slots, deadline);
    take_signals(w);
    beat(w);
    return (seen & EVENTS_BIT(EVENTS_WAKEUP)) && events_drain(&w->events, EVENTS_WAKEUP);
}

/* --- the connection --- */

/* Says what is wrong with Redis, once in a row, and waits a while; wakes early for signals. */
static void back_off(struct worker *w, const char *doing, const char *why)
{
    log_at(w->backoff.seconds > 0 ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
           "%s at %s failed: %s; trying again", doing, redis_where(w->redis), why);
    bool answers = redis_connected(w->redis);
    int64_t until = backoff_next(&w->backoff, answers ? BACKOFF_REFUSED : BACKOFF_CONNECT);
    int leave = w->wishes.leave;
    while (clock_ms() < until && (int)w->wishes.leave == leave)
        wait_until(w, 0, until);
}

/* Redis did what it was asked. */
static void went_well(struct worker *w)
{
    if (w->backoff.seconds > 0)
        log_notice("Redis at %s works again", redis_where(w->redis));
    backoff_reset(&w->backoff);
}

static bool connected(struct worker *w)
{
    if (redis_connected(w->redis))
        return true;
    if (redis_connect(w->redis, clock_after(CONNECT_TIMEOUT)) < 0) {
        back_off(w, "connecting to Redis", redis_error(w->redis));
        return false;
    }
    if (redis_user_ignored(w->redis))
        log_warn("Redis refused the user name in the address; the password alone was accepted");
    return true;
}

static bool registered(struct worker *w)
{
    if (w->registered)
        return true;
    STOP_AT("register");
    if (registry_register(&w->registry) < 0) {
        back_off(w, "registering", w->scripts.error);
        return false;
    }
    STOP_AT("registered");
    memcpy(w->slot->worker_id, w->registry.id, sizeof w->slot->worker_id);
    log_set_worker(w->registry.id);
    log_notice("Starting worker %s", w->registry.id);
    return w->registered = true;
}

/* Unknown to the fleet, as a pruner took us for dead or Redis forgot; or somebody else took the
 * name then, and we take another. */
static void lose(struct worker *w)
{
    log_warn("worker %s is not registered any more (pruned, or Redis lost data); registering again",
             w->registry.id);
    w->registered = false;
}

/* --- reserve --- */

static enum reserve_answer ask(struct worker *w, struct job *job)
{
    STOP_AT("reserve");
    enum reserve_answer answer = reserve_take(&w->reserve, job);
    if (answer != RESERVE_NOTHING)
        return answer;
    atomic_store(&w->slot->state, BOARD_LOOKING);
    char token[JOB_TOKEN_SIZE];
    registry_token(&w->registry, token);
    if (reserve_expand(&w->reserve, &w->scripts, true) == 0)
        answer = reserve_next(&w->reserve, &w->scripts, w->registry.id, token, job);
    if (answer == RESERVE_NOTHING)
        back_off(w, "asking for a job", w->scripts.error);
    else
        went_well(w);
    return answer;
}

/* Nothing to do: until INTERVAL has passed, the manager calls, or somebody wishes something. */
static void idle(struct worker *w)
{
    STOP_AT("idle");
    atomic_store(&w->slot->state, BOARD_IDLE);
    title_set("Waiting for %s", w->reserve.queues.label);
    int64_t until = clock_after(w->options->interval);
    while (clock_ms() < until && wants_next(w))
        if (wait_until(w, EVENTS_BIT(EVENTS_WAKEUP), until))
            break;
}

static void paused(struct worker *w)
{
    atomic_store(&w->slot->state, BOARD_BUSY);
    title_set("Paused");
    while (w->wishes.pause && w->wishes.leave == STAY)
        wait_until(w, 0, CLOCK_NEVER);
}

static void commit(struct worker *w, struct job *job, struct outcome *end);

/* An old record that came back with a Redis rollback is finished again as it was, not run again. */
static bool finished_before(struct worker *w, struct job *job)
{
    const struct outcome *known = registry_recall(&w->registry, job);
    if (!known)
        return false;
    struct outcome end;
    joblog_again(job);
    outcome_copy(&end, known);
    commit(w, job, &end);
    return true;
}

/* Waits out what keeps us from asking. False: leave. */
static bool ready(struct worker *w)
{
    for (;;) {
        wait_until(w, 0, 0); /* signals that came meanwhile */
        if (w->wishes.leave != STAY)
            return false;
        if (w->wishes.pause)
            paused(w);
        else if (clock_ms() < w->rest_until)
            wait_until(w, 0, w->rest_until);
        else if (connected(w) && registered(w))
            return true;
    }
}

/* The next job that is to run. False: this worker leaves. */
static bool next_job(struct worker *w, struct job *job)
{
    struct outcome end;
    for (;;) {
        if (w->reserve.handed.answer == RESERVE_JOB && !wants_next(w)) {
            ask(w, job);
            outcome_put_back(&end, "the worker was told to stop or pause first");
            commit(w, job, &end);
        }
        if (w->reserve.handed.answer != RESERVE_JOB && !ready(w))
            return false;
        switch (ask(w, job)) {
        case RESERVE_JOB:
            if (!finished_before(w, job))
                return true;
            break;
        case RESERVE_EMPTY:
            if (w->options->interval <= 0)
                return false;
            idle(w);
            break;
        case RESERVE_PAUSED:
            title_set("Paused");
            wait_until(w, EVENTS_BIT(EVENTS_WAKEUP),
                       clock_after(w->options->interval > 0 ? w->options->interval : 1));
            break;
        case RESERVE_LOST:
            lose(w);
            break;
        case RESERVE_CONFLICT:
            lose(w);
            w->rest_until = clock_after(LOAD_WAIT);
            break;
        case RESERVE_REJECTED:
        case RESERVE_NOTHING:
            break;
        }
    }
}

/* --- run --- */

/* Redis's own parser let it pass; the fleet's others would not. 0, or -1 and `end` is set. */
static int check(const struct job *job, struct outcome *end)
{
    char why[128];
    STOP_AT("check");
    if (json_check(job->payload, job->payload_len, JSON_CHECK_DEPTH, why, sizeof why) == 0)
        return 0;
    outcome_fail(end, OUTCOME_MALFORMED, "Resque::MalformedPayload", why);
    return -1;
}

static int before_fork(struct worker *w, const struct job *job, struct outcome *end)
{
    if (parent_hooks_fork(&w->hooks, w->registry.id, job, end) == 0)
        return 0;
    if (end->kind == OUTCOME_PUT_BACK)
        w->rest_until = clock_after(LOAD_WAIT);
    return -1;
}

static struct child_place place_of(struct worker *w)
{
    return (struct child_place){.options = w->options,
                                .prepared = w->prepared,
                                .events = &w->events,
                                .redis = w->redis,
                                .wakeup_fd = w->events.fd[EVENTS_WAKEUP],
                                .worker_id = w->registry.id,
                                .mark = w->slot->started};
}

static int start(struct worker *w, struct child *child, const struct job *job, struct outcome *end)
{
    char now[CLOCK_LOCAL_SIZE], why[128];
    const struct child_place place = place_of(w);
    STOP_AT("start");
    wait_until(w, 0, 0);
    if (w->wishes.leave == LEAVE_NOW) {
        outcome_put_back(end, "the worker was told to stop first");
        return -1;
    }
    w->wishes.kill = NULL; /* it was meant for the job before */
    clock_local(now);
    if (child_start(child, &place, job, now) < 0) {
        snprintf(why, sizeof why, "fork failed: %s", strerror(errno));
        outcome_put_back(end, why);
        w->rest_until = clock_after(LOAD_WAIT);
        return -1;
    }
    title_set("Forked %d at %s", (int)child->pid, now);
    return 0;
}

static void watch(struct worker *w, struct child *child)
{
    STOP_AT("watch");
    while (!child->ended) {
        int64_t until = clock_sooner(w->registry.heartbeat_at, w->wishes.leave_by);
        child_wait(child, w->options, &w->events, events_deadline(&w->events, until));
        take_signals(w);
        if (w->wishes.kill)
            child_kill(child, w->options, w->wishes.kill);
        beat(w);
    }
}

static void decide(struct worker *w, const struct job *job, struct child *child,
                   struct outcome *end)
{
    STOP_AT("decide");
    outcome_decide(end, &child->report, child->wait_status, child->killed_for);
    unstarted_note(&w->unstarted, job, end, child->killed_for);
    if (child->report.end == REPORT_LOAD)
        w->rest_until = clock_after(LOAD_WAIT);
    if (child->report.started)
        atomic_store(&w->board->parent_hooks, child->report.parent_hooks);
    end->tell = end->kind == OUTCOME_FAILED && child->report.on_failure;
    child_finish(child, &w->events);
    w->wishes.kill = NULL;
}

static void run(struct worker *w, const struct job *job, struct outcome *end)
{
    struct child child;
    atomic_store(&w->slot->state, BOARD_BUSY);
    log_set_job(job->id);
    joblog_got(job);
    if (check(job, end) < 0 || before_fork(w, job, end) < 0 || start(w, &child, job, end) < 0)
        return;
    watch(w, &child);
    decide(w, job, &child, end);
}

/* --- commit --- */

/* One try to write the outcome, with the next job on the way back if we want one. */
static enum outcome_commit try_commit(struct worker *w, const struct job *job,
                                      const struct outcome *end)
{
    char token[JOB_TOKEN_SIZE];
    bool more = wants_next(w) && !end->tell && end->kind != OUTCOME_PUT_BACK &&
                reserve_expand(&w->reserve, &w->scripts, false) == 0;
    if (!redis_connected(w->redis))
        return COMMIT_TROUBLE;
    if (more)
        registry_token(&w->registry, token);
    atomic_store(&w->slot->state, BOARD_LOOKING);
    STOP_AT("commit");
    return outcome_commit(end, &w->scripts, w->registry.id, job, &w->reserve, more ? token : NULL);
}

/* Tries for as long as it takes; a worker that is told to leave gives up after a while. */
static enum outcome_commit write_end(struct worker *w, const struct job *job,
                                     const struct outcome *end)
{
    int64_t give_up = CLOCK_NEVER;
    while (clock_ms() < give_up) {
        if (connected(w)) {
            enum outcome_commit result = try_commit(w, job, end);
            if (result != COMMIT_TROUBLE)
                return result;
            back_off(w, "writing a job's end", w->scripts.error);
        }
        wait_until(w, 0, 0);
        if (w->wishes.leave != STAY && give_up == CLOCK_NEVER)
            give_up = clock_after(LEAVE_TIMEOUT);
    }
    return COMMIT_TROUBLE;
}

/* Writes how the job ended. Where that is impossible the job stays in worker:<id>, and whoever
 * finds this worker dead accounts for it. Takes job and end. */
static void commit(struct worker *w, struct job *job, struct outcome *end)
{
    const struct child_place place = place_of(w);
    switch (write_end(w, job, end)) {
    case COMMIT_WRITTEN:
        STOP_AT("committed");
        went_well(w);
        registry_remember(&w->registry, job, end);
        joblog_end(job, end);
        if (end->tell && child_on_failure(&place, job, end->exception, end->error) < 0)
            log_error("onFailure was not run: %s", strerror(errno));
        break;
    case COMMIT_LOST:
        joblog_lost(job);
        lose(w);
        break;
    case COMMIT_TROUBLE:
        registry_give_up(&w->registry, job, end);
        joblog_left(job, w->registry.id);
        break;
    }
    log_set_job(NULL);
    outcome_clear(end);
    job_clear(job);
}

/* --- from start to end --- */

static int open_worker(struct worker *w, const struct worker_place *place)
{
    const struct source_place source = {w->options->lua_path};
    char err[512];
    title_set("Starting");
    if (events_open(&w->events, place->original_mask, false) < 0) {
        log_error("signalfd: %s", strerror(errno));
        return -1;
    }
    w->events.fd[EVENTS_WAKEUP] = place->wakeup_fd;
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a job leaves behind comes to us, to be ended */
    w->redis = redis_new(&w->options->address, &w->events);
    scripts_open(&w->scripts, w->redis, w->options->prefix, &source);
    if (reserve_open(&w->reserve, w->options->queues, w->options->max_payload, err, sizeof err) <
        0) {
        log_error_lines(err);
        return -1;
    }
    if (registry_open(&w->registry, &w->scripts, w->options->worker_host, w->reserve.queues.label,
                      w->options->heartbeat) < 0) {
        log_error("cannot tell who this process is: %s", strerror(errno));
        return -1;
    }
    identity_text(&w->registry.identity, w->slot->identity);
    return 0;
}

static void close_worker(struct worker *w)
{
    w->scripts.patience = SCRIPTS_FAREWELL;
    if (!redis_connected(w->redis) && w->registered)
        redis_connect(w->redis, clock_after(SCRIPTS_FAREWELL));
    STOP_AT("unregister");
    if (w->registered && registry_unregister(&w->registry) < 0)
        log_warn("worker %s could not be unregistered: %s", w->registry.id, w->scripts.error);
    else
        w->slot->worker_id[0] = '\0';
    parent_hooks_close(&w->hooks);
    registry_close(&w->registry);
    reserve_close(&w->reserve);
    scripts_close(&w->scripts);
    redis_free(w->redis);
    events_close(&w->events);
}

enum worker_exit worker_run(const struct worker_place *place)
{
    struct worker worker = {.options = place->options,
                            .prepared = place->prepared,
                            .board = place->board,
                            .slot = place->slot,
                            .hooks = {place->options, place->board, NULL}};
    struct worker *w = &worker;
    struct job job = {0};
    struct outcome end;
    wishes_init(&w->wishes);
    if (open_worker(w, place) < 0)
        return WORKER_BROKEN;
    if (parent_hooks_first(&w->hooks, w->registry.id) < 0)
        return WORKER_HOOK_FAILED;
    atomic_store(&w->slot->state, BOARD_BUSY);
    if (w->options->background)
        background_detach();
    while (next_job(w, &job)) {
        run(w, &job, &end);
        commit(w, &job, &end);
    }
    enum worker_exit code = w->wishes.leave == STAY ? WORKER_EMPTY : WORKER_STOPPED;
    close_worker(w);
    return code;
}
