/* worker.c - the life of a job, top to bottom: see worker_run at the end, then next_job, run,
 * commit above it.
 *
 * Where the job is if the power goes out: in its queue until next_job's reserve, then in
 * worker:<id> until commit, then done, in `failed`, or back in its queue. Each of those moves is
 * one script inside Redis. */
#include "worker/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "base/json_check.h"
#include "base/log.h"
#include "base/stopat.h"
#include "child/jobsignals.h"
#include "job/outcome.h"
#include "job/output.h"
#include "job/raised.h"
#include "os/background.h"
#include "os/descriptors.h"
#include "os/folder.h"
#include "os/title.h"
#include "worker/child.h"
#include "worker/joblog.h"
#include "worker/notes.h"
#include "worker/on_failure.h"
#include "worker/parent_hooks.h"
#include "worker/persist.h"
#include "worker/reserve.h"
#include "worker/session.h"
#include "worker/unstarted.h"
#include "worker/verdict.h"

#define LOAD_WAIT 1.0 /* seconds after APP_INCLUDE could not be loaded, or fork failed */

struct worker {
    const struct options *options;
    struct confine *confine;
    struct lua_State *prepared; /* never run here; every job's process has its own copy */
    struct board *board;
    struct board_slot *slot;
    struct wishes wishes;
    struct session session;
    struct reserve reserve;
    struct parent_hooks hooks;
    struct output output;
    struct unstarted unstarted;
    struct notes notes;
};

/* Looks for changes of a deploy. Returns whether other queues than before are served. */
static bool look_around(struct worker *w)
{
    bool again = w->wishes.look_again;
    w->wishes.look_again = false;
    folder_follow(w->options->scripts.folder);
    if (again)
        parent_hooks_close(&w->hooks);
    return notes_look(&w->notes, again);
}

/* Notes that a job could not start: the worker rests, as the next one would fare no better. */
static void hold_up(struct worker *w, struct outcome *outcome)
{
    w->wishes.rest_until = clock_after(LOAD_WAIT);
    notes_held_up(&w->notes, outcome);
}

/* Tries APP_INCLUDE without a job where a blocked worker's queues are empty: other workers took the
 * jobs, so none would show that it is mended. */
static void try_to_load(struct worker *w)
{
    const struct include_check check = {w->options, w->confine, &w->session.events, w->board};
    notes_try(&w->notes, &check);
}

/* --- reserve --- */

/* Asks Redis for a job, once. */
static void request(struct worker *w, struct reservation *got)
{
    char token[JOB_TOKEN_SIZE];
    atomic_store(&w->slot->state, BOARD_LOOKING);
    ledger_token(&w->session.ledger, token);
    if (reserve_expand(&w->reserve, &w->session.scripts, true) == 0)
        reserve_next(&w->reserve, &w->session.scripts, w->session.registry.id, token, got);
    if (got->answer == RESERVE_NOTHING)
        session_back_off(&w->session, "asking for a job", w->session.scripts.error);
    else
        session_went_well(&w->session);
}

/* Takes what the last commit brought along, else asks Redis. */
static enum reserve_answer ask(struct worker *w, struct job *job)
{
    struct reservation got;
    STOP_AT("reserve");
    look_around(w);
    reserve_take(&w->reserve, &got);
    if (got.answer == RESERVE_NOTHING)
        request(w, &got);
    joblog_reserved(&got);
    if (got.answer == RESERVE_JOB)
        *job = got.job;
    reserve_forget(&got);
    return got.answer;
}

/* Waits for jobs until INTERVAL has passed, the manager calls, or a signal wishes something. */
static void idle(struct worker *w)
{
    STOP_AT("idle");
    atomic_store(&w->slot->state, BOARD_IDLE);
    title_set("Waiting for %s", w->reserve.queues.label);
    int64_t until = clock_after(notes_blocked(&w->notes) ? LOAD_WAIT : w->options->work.interval);
    while (clock_ms() < until && wishes_a_job(&w->wishes) && !look_around(w)) {
        int64_t look = clock_sooner(until, resting_deadline(&w->notes.resting));
        if (session_wait(&w->session, EVENTS_BIT(EVENTS_WAKEUP), look))
            break;
    }
}

static void paused(struct worker *w)
{
    atomic_store(&w->slot->state, BOARD_BUSY);
    title_set("Paused");
    while (w->wishes.pause && w->wishes.leave == STAY)
        session_wait(&w->session, 0, CLOCK_NEVER);
}

static void commit(struct worker *w, struct job *job, struct outcome *outcome);

/* An old record that came back with a Redis rollback is finished again as it was, not run again. */
static bool finished_before(struct worker *w, struct job *job)
{
    const struct outcome *known = ledger_recall(&w->session.ledger, job);
    if (!known)
        return false;
    struct outcome outcome;
    joblog_again(job);
    outcome_copy(&outcome, known);
    commit(w, job, &outcome);
    return true;
}

/* Registers where that is due, and tells Redis the worker's notes. False: it is not registered. */
static bool be_known(struct worker *w)
{
    if (!w->session.registered)
        notes_renew(&w->notes);
    if (!session_ready(&w->session))
        return false;
    notes_tell(&w->notes, &w->session.registry);
    return true;
}

/* Returns once this worker may ask Redis for a job: not paused, not resting, connected, registered.
 * False if it was told to leave. */
static bool ready(struct worker *w)
{
    for (;;) {
        session_wait(&w->session, 0, 0); /* signals that came meanwhile */
        if (w->wishes.leave != STAY)
            return false;
        if (w->wishes.pause)
            paused(w);
        else if (clock_ms() < w->wishes.rest_until)
            session_wait(&w->session, 0, w->wishes.rest_until);
        else if (be_known(w))
            return true;
    }
}

/* Puts back a job that the last commit brought along and that may not run any more. */
static void put_back_handed(struct worker *w, struct job *job)
{
    struct outcome outcome;
    ask(w, job);
    outcome_put_back(&outcome, "the worker was told to stop or pause first");
    commit(w, job, &outcome);
}

/* Takes the next job that is to run. Returns false if this worker leaves. */
static bool next_job(struct worker *w, struct job *job)
{
    for (;;) {
        if (w->reserve.handed.answer == RESERVE_JOB && !wishes_a_job(&w->wishes))
            put_back_handed(w, job);
        if (w->reserve.handed.answer != RESERVE_JOB && !ready(w))
            return false;
        switch (ask(w, job)) {
        case RESERVE_JOB:
            if (!finished_before(w, job))
                return true;
            break;
        case RESERVE_EMPTY:
            if (w->options->work.interval <= 0)
                return false;
            try_to_load(w);
            idle(w);
            break;
        case RESERVE_PAUSED:
            title_set("Paused");
            session_wait(
                &w->session, EVENTS_BIT(EVENTS_WAKEUP),
                clock_after(w->options->work.interval > 0 ? w->options->work.interval : 1));
            break;
        case RESERVE_CONFLICT:
            w->wishes.rest_until = clock_after(LOAD_WAIT);
            /* fall through */
        case RESERVE_LOST:
            session_lose(&w->session);
            break;
        default: /* rejected, or nothing: ask again */
            break;
        }
    }
}

/* --- run --- */

/* Checks the payload: Redis's parser is more lenient than others. 0, or -1 and `outcome` is set. */
static int check(const struct job *job, struct outcome *outcome)
{
    char why[128];
    STOP_AT("check");
    if (json_check(job->payload, job->payload_len, JSON_CHECK_DEPTH, why, sizeof why) == 0)
        return 0;
    outcome_fail(outcome, OUTCOME_MALFORMED, "Resque::MalformedPayload", why);
    return -1;
}

static int before_fork(struct worker *w, const struct job *job, struct outcome *outcome)
{
    int result = parent_hooks_fork(&w->hooks, w->session.registry.id, job, outcome);
    if (result < 0 && outcome->kind == OUTCOME_PUT_BACK)
        hold_up(w, outcome);
    return result;
}

static struct child_context context_of(struct worker *w)
{
    return (struct child_context){.options = w->options,
                                  .confine = w->confine,
                                  .prepared = w->prepared,
                                  .events = &w->session.events,
                                  .output = &w->output,
                                  .worker_id = w->session.registry.id,
                                  .started_token = w->slot->started_token,
                                  .raised = &w->slot->raised,
                                  .told = &w->slot->told};
}

static int start(struct worker *w, struct child *child, const struct job *job,
                 struct outcome *outcome)
{
    char now[CLOCK_LOCAL_SIZE], why[128];
    struct child_context context = context_of(w);
    context.spare_unknown = resting_spares(&w->notes.resting, job->queue);
    STOP_AT("start");
    session_wait(&w->session, 0, 0);
    if (board_wants_cancel(w->slot, job->token)) {
        verdict_cancelled(outcome);
        return -1;
    }
    if (w->wishes.leave == LEAVE_NOW) {
        outcome_put_back(outcome, "the worker was told to stop first");
        return -1;
    }
    w->wishes.kill = KILL_NONE; /* it was meant for the job before */
    raised_clear(&w->slot->raised);
    clock_local(now);
    if (child_start(child, &context, job, now) < 0) {
        snprintf(why, sizeof why, "fork failed: %s", strerror(errno));
        outcome_put_back(outcome, why);
        hold_up(w, outcome);
        return -1;
    }
    if (child->ended) /* it could not be watched; the next one would fare no better */
        w->wishes.rest_until = clock_after(LOAD_WAIT);
    title_set("Forked %d at %s", (int)child->pid, now);
    return 0;
}

static void watch(struct worker *w, const struct job *job, struct child *child)
{
    STOP_AT("watch");
    while (!child->ended) {
        int64_t until = clock_sooner(w->session.registry.heartbeat_at, wishes_deadline(&w->wishes));
        child_wait(child, w->options, &w->session.events,
                   events_deadline(&w->session.events, until));
        session_hear(&w->session);
        if (w->wishes.kill != KILL_NONE)
            child_kill(child, w->options, w->wishes.kill);
        if (board_wants_cancel(w->slot, job->token))
            child_kill(child, w->options, KILL_CANCEL);
        session_beat(&w->session);
    }
}

static void decide(struct worker *w, const struct job *job, struct child *child,
                   struct outcome *outcome)
{
    struct death death;
    STOP_AT("decide");
    death_account(&death, child, job, w->slot, w->options);
    if (child->report.started) {
        atomic_store(&w->board->parent_hooks, child->report.parent_hooks);
        notes_started(&w->notes);
    }
    verdict_reach(outcome, &death, unstarted_count(&w->unstarted, job, &death), w->options);
    notes_judge(&w->notes, job, &death, outcome);
    if (child->report.kind == REPORT_LOAD)
        hold_up(w, outcome);
    child_finish(child, &w->session.events);
    if (outcome_is_failure(outcome))
        outcome->output = output_text(&w->output, &outcome->output_len);
    w->wishes.kill = KILL_NONE;
}

static void run(struct worker *w, const struct job *job, struct outcome *outcome)
{
    struct child child;
    atomic_store(&w->slot->state, BOARD_BUSY);
    log_set_job(job->id);
    joblog_got(job);
    if (check(job, outcome) < 0 || before_fork(w, job, outcome) < 0 ||
        start(w, &child, job, outcome) < 0)
        return;
    watch(w, job, &child);
    decide(w, job, &child, outcome);
}

/* --- commit --- */

/* Writes how the job ended. Where that is impossible the job stays in worker:<id>, and a manager
 * that finds this worker dead accounts for it. Takes job and outcome. */
static void commit(struct worker *w, struct job *job, struct outcome *outcome)
{
    const struct child_context context = context_of(w);
    enum commit_result result = persist_outcome(&w->session, &w->reserve, job, outcome);
    switch (result) {
    case COMMIT_WRITTEN:
    case COMMIT_REQUEUED:
        STOP_AT("committed");
        session_went_well(&w->session);
        ledger_remember(&w->session.ledger, job, outcome);
        if (result == COMMIT_REQUEUED) {
            joblog_requeued(job, outcome);
            break;
        }
        joblog_end(job, outcome);
        if (outcome->tell)
            on_failure_run(&w->session, &context, job, outcome);
        break;
    case COMMIT_LOST:
        joblog_lost(job);
        session_lose(&w->session);
        break;
    case COMMIT_TROUBLE:
        ledger_give_up(&w->session.ledger, job, outcome);
        joblog_left(job, w->session.registry.id);
        break;
    }
    log_set_job(NULL);
    outcome_clear(outcome);
    job_clear(job);
    notes_tell(&w->notes, &w->session.registry);
}

/* --- from start to end --- */

static int open_worker(struct worker *w, const struct worker_context *context)
{
    char err[512];
    title_set("Starting");
    confine_session(w->confine);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* a job's orphans come here, to be ended */
    wishes_init(&w->wishes);
    folder_follow(w->options->scripts.folder);
    resting_open(&w->notes.resting, w->options->scripts.include, clock_ms());
    if (reserve_open(&w->reserve, w->options->work.queues, w->options->work.max_payload,
                     &w->notes.resting, err, sizeof err) < 0) {
        log_error_lines(err);
        return -1;
    }
    if (session_open(&w->session, context->original_mask, w->reserve.queues.label) < 0)
        return -1;
    events_watch(&w->session.events, EVENTS_WAKEUP, descriptors_own(context->wakeup_fd), POLLIN);
    w->session.events.manager = context->manager;
    jobsignals_prepare(&w->slot->told);
    return 0;
}

static void close_worker(struct worker *w)
{
    session_close(&w->session);
    parent_hooks_close(&w->hooks);
    reserve_close(&w->reserve);
    resting_close(&w->notes.resting);
    output_close(&w->output);
}

static enum worker_exit exit_code(const struct worker *w)
{
    if (w->wishes.leave != STAY)
        return WORKER_STOPPED;
    if (!resting_any(&w->notes.resting))
        return WORKER_EMPTY;
    log_error("leaving with jobs in queues that are left alone: the exit code is 1");
    return WORKER_LEFT_JOBS;
}

enum worker_exit worker_run(const struct worker_context *context)
{
    struct worker worker = {
        .options = context->options,
        .confine = context->confine,
        .prepared = context->prepared,
        .board = context->board,
        .slot = context->slot,
        .session = {.options = context->options, .slot = context->slot, .wishes = &worker.wishes},
        .hooks = {context->options, context->board, NULL}};
    struct worker *w = &worker;
    struct job job = {0};
    struct outcome outcome;
    if (open_worker(w, context) < 0)
        return WORKER_BROKEN;
    if (parent_hooks_first(&w->hooks, w->session.registry.id) < 0)
        return WORKER_HOOK_FAILED;
    atomic_store(&w->slot->state, BOARD_BUSY);
    if (w->options->process.background)
        background_detach();
    if (output_open(&w->output) < 0) {
        log_error("cannot make pipes for the output of jobs: %s", strerror(errno));
        return WORKER_BROKEN;
    }
    while (next_job(w, &job)) {
        run(w, &job, &outcome);
        commit(w, &job, &outcome);
    }
    enum worker_exit code = exit_code(w);
    close_worker(w);
    return code;
}
