/* verdict.c - see verdict.h. Each section looks at the death and at the outcome so far. */
#include "worker/verdict.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "job/limit.h"
#include "os/signals.h"
#include "worker/unstarted.h"

#define DIRTY_EXIT "Resque::DirtyExit"
#define CANCELLED "Resque::Cancelled"
#define CANCELLED_UNSTARTED "Job was cancelled by resque-lua job --kill before it started"
#define CANCELLED_STARTED "Job was cancelled by resque-lua job --kill"

static void set_failure(struct outcome *outcome, const char *exception, const char *error)
{
    free(outcome->exception);
    free(outcome->error);
    outcome->exception = memory_copy(exception, strlen(exception));
    outcome->error = memory_copy(error, strlen(error));
}

/* --- the table --- */

enum started { NOT_STARTED, STARTED, EITHER };
enum ended { BY_SIGNAL, BY_EXIT, BY_ANY };

static const struct decision {
    enum report_kind reported;
    enum started started;
    enum ended ended;
    enum outcome_kind kind;
    bool dirty;       /* a DirtyExit of ours, not a failure that the job told of */
    const char *text; /* %s: the signal, the exit code, or what the job said */
} decisions[] = {
    {REPORT_DONE, EITHER, BY_ANY, OUTCOME_DONE, false, ""},
    {REPORT_FAILED, EITHER, BY_ANY, OUTCOME_FAILED, false, ""},
    {REPORT_EXIT, STARTED, BY_ANY, OUTCOME_FAILED, true,
     "Job exited with exit code %s"}, /* 0 became DONE before */
    {REPORT_EXIT, NOT_STARTED, BY_ANY, OUTCOME_PUT_BACK, true,
     "APP_INCLUDE called os.exit(%s) before the job started"},
    {REPORT_LOAD, NOT_STARTED, BY_ANY, OUTCOME_PUT_BACK, false, "%s"},
    {REPORT_LOAD, STARTED, BY_ANY, OUTCOME_FAILED, true,
     "Job ended, but its process could not tell how: %s"},
    {REPORT_NONE, STARTED, BY_SIGNAL, OUTCOME_FAILED, true, "Job killed by %s"},
    {REPORT_NONE, STARTED, BY_EXIT, OUTCOME_FAILED, true,
     "Job exited with exit code %s without reporting a result"},
    {REPORT_NONE, NOT_STARTED, BY_SIGNAL, OUTCOME_PUT_BACK, true,
     "its process was killed by %s before the job started"},
    {REPORT_NONE, NOT_STARTED, BY_EXIT, OUTCOME_PUT_BACK, true,
     "its process exited with exit code %s before the job started"},
};

static const struct decision *find_decision(const struct death *death)
{
    enum ended ended = WIFSIGNALED(death->wait_status) ? BY_SIGNAL : BY_EXIT;
    enum started started = death->started ? STARTED : NOT_STARTED;
    const struct decision *d = decisions;
    while (d->reported != death->report->kind || (d->started != EITHER && d->started != started) ||
           (d->ended != BY_ANY && d->ended != ended))
        d++; /* the table is complete, so this ends */
    return d;
}

static const char *fill_in(char *out, size_t size, const struct death *death)
{
    int status = death->wait_status;
    if (death->report->kind == REPORT_LOAD)
        return death->report->failure.message;
    if (death->report->kind == REPORT_EXIT)
        snprintf(out, size, "%d", death->report->exit_code);
    else if (WIFSIGNALED(status))
        snprintf(out, size, "signal %d (%s)", WTERMSIG(status), signals_name(WTERMSIG(status)));
    else
        snprintf(out, size, "%d", WEXITSTATUS(status));
    return out;
}

static void explain(struct outcome *outcome, const struct decision *d, const char *what,
                    const char *reason)
{
    static const char by_worker[] = ", by its worker for ";
    size_t size = strlen(d->text) + strlen(what) + sizeof by_worker + KILL_REASON_TEXT;
    char *text = memory_get(size);
/* The formats are those of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(text, size, d->text, what);
#pragma GCC diagnostic pop
    if (reason)
        snprintf(text + len, size - (size_t)len, "%s%s", by_worker, reason);
    outcome->error = text;
}

void verdict_by_table(struct outcome *outcome, const struct death *death)
{
    const struct report *report = death->report;
    char what[64], reason[KILL_REASON_TEXT];
    *outcome = (struct outcome){0};
    if (report->kind == REPORT_EXIT && report->exit_code == 0 && death->started) {
        outcome->result = memory_copy("null", outcome->result_len = 4);
        return;
    }
    const struct decision *d = find_decision(death);
    outcome->kind = d->kind;
    outcome->dirty = d->dirty;
    if (report->kind == REPORT_DONE) {
        outcome->result = memory_copy(report->result, outcome->result_len = report->result_len);
    } else if (report->kind == REPORT_FAILED) {
        set_failure(outcome, report->failure.exception, report->failure.message);
        outcome->trace = memory_copy(report->failure.trace, strlen(report->failure.trace));
    } else {
        bool own_doing = report->kind != REPORT_NONE; /* it could still tell */
        outcome->exception = memory_copy(DIRTY_EXIT, strlen(DIRTY_EXIT));
        explain(outcome, d, fill_in(what, sizeof what, death),
                own_doing ? NULL : kill_reason_say(reason, death->reason, death->seconds));
    }
}

/* --- the error of a limit that became an exit --- */

/* Seconds or bytes; 0 or infinite: there is no such limit. */
static double amount_of(enum limit which, const struct death *death, const struct options *options)
{
    if (which == LIMIT_TIMEOUT)
        return death->reason == KILL_TIMEOUT ? death->seconds : 0;
    if (which == LIMIT_CPU)
        return death->policy.cpu > 0 ? death->policy.cpu : options->limits.cpu;
    size_t bytes = death->policy.memory ? death->policy.memory : options->limits.memory;
    return bytes < SIZE_MAX ? (double)bytes : INFINITY;
}

/* The limit whose error the job's process turned into an exit; LIMIT_NONE. */
static enum limit exit_limit(const struct outcome *outcome, const struct death *death,
                             const struct options *options)
{
    bool by_itself =
        outcome->dirty && WIFEXITED(death->wait_status) && death->report->kind != REPORT_LOAD;
    if (!by_itself || death->reason == KILL_CANCEL || death->raised == LIMIT_NONE)
        return LIMIT_NONE;
    double amount = amount_of(death->raised, death, options);
    return amount > 0 && isfinite(amount) ? death->raised : LIMIT_NONE;
}

static void say_exit_limit(struct outcome *outcome, enum limit which, const struct death *death,
                           const struct options *options)
{
    static const char how[] = "%s; its process then exited with exit code %d";
    char text[LIMIT_TEXT], error[LIMIT_TEXT + sizeof how + 8];
    limit_say(text, which, amount_of(which, death, options));
    snprintf(error, sizeof error, how, text, WEXITSTATUS(death->wait_status));
    set_failure(outcome, limit_exception(which), error);
}

/* --- deaths before the start --- */

/* Fails a job whose process ended before the start too often: the next would do no better. */
static void judge_unstarted(struct outcome *outcome, int unstarted)
{
    if (outcome->kind == OUTCOME_PUT_BACK && unstarted > UNSTARTED_MAX)
        outcome->kind = OUTCOME_FAILED;
}

/* --- a cancel --- */

void verdict_cancelled(struct outcome *outcome)
{
    outcome_fail(outcome, OUTCOME_FAILED, CANCELLED, CANCELLED_UNSTARTED);
}

/* Makes a cancelled job a failure. An end of the job's own stays as it is: done, or failed with an
 * error other than the one that TERM_CHILD raised in it. */
static void judge_cancel(struct outcome *outcome, const struct death *death)
{
    bool ours = outcome->kind == OUTCOME_PUT_BACK ||
                (outcome->kind == OUTCOME_FAILED && outcome_was_terminated(outcome));
    if (death->reason != KILL_CANCEL || !ours)
        return;
    outcome->kind = OUTCOME_FAILED;
    outcome->dirty = false; /* nobody's crash */
    set_failure(outcome, CANCELLED, death->started ? CANCELLED_STARTED : CANCELLED_UNSTARTED);
}

/* --- a limit --- */

/* "timeout", "memory" or "cpu"; NULL: no limit ended it. */
static const char *limit_of(const struct death *death, enum limit raised)
{
    if (raised)
        return limit_name(raised);
    if (death->report->kind == REPORT_FAILED)
        return death->report->failure.limit;
    if (death->report->kind != REPORT_NONE)
        return NULL;
    if (death->reason == KILL_TIMEOUT)
        return limit_name(LIMIT_TIMEOUT);
    return death->reason == KILL_CPU ? limit_name(LIMIT_CPU) : NULL;
}

/* --- a crash --- */

/* Whether the job ended by TERM_CHILD's error, or dirtily with anything but exit code 0. */
static bool ended_badly(const struct outcome *outcome, int wait_status)
{
    bool exited_well = outcome->dirty && WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
    return outcome_was_terminated(outcome) && !exited_well;
}

/* A crash is the end of a started job by a signal, or by an exit code other than 0, unless somebody
 * meant this very job: an error, a limit, USR1, --kill. TERM and INT to the worker count as a
 * crash, so that a deploy runs the job again. The job's table beats the worker's setting. */
static void judge_crash(struct outcome *outcome, const struct death *death,
                        const struct options *options)
{
    int allowed = death->policy.requeue >= 0 ? death->policy.requeue : options->fleet.requeue;
    bool meant = death->reason != KILL_NONE && !kill_reason_is_leave(death->reason);
    if (allowed == 0 || outcome->kind != OUTCOME_FAILED || !death->started || outcome->limit ||
        meant || !ended_badly(outcome, death->wait_status))
        return;
    outcome->kind = OUTCOME_CRASHED;
    outcome->requeue = allowed;
}

/* --- all of it --- */

void verdict_reach(struct outcome *outcome, const struct death *death, int unstarted,
                   const struct options *options)
{
    verdict_by_table(outcome, death);
    outcome->usage = death->usage;
    enum limit raised = exit_limit(outcome, death, options);
    if (raised && outcome->kind == OUTCOME_FAILED)
        say_exit_limit(outcome, raised, death, options);
    judge_unstarted(outcome, unstarted);
    judge_cancel(outcome, death);
    outcome->limit = outcome->kind == OUTCOME_FAILED ? limit_of(death, raised) : NULL;
    judge_crash(outcome, death, options);
    outcome->tell = outcome_is_failure(outcome) && death->report->on_failure;
}
