/* verdict.c - see verdict.h. */
#include "worker/verdict.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/memory.h"
#include "job/limit.h"
#include "job/raised.h"
#include "os/signals.h"
#include "worker/cancel.h"
#include "worker/crash.h"

#define DIRTY_EXIT "Resque::DirtyExit"

/* --- the table --- */

enum started { NOT_STARTED, STARTED, EITHER };
enum ending { BY_SIGNAL, BY_EXIT, BY_ANY };

static const struct decision {
    enum report_kind reported;
    enum started started;
    enum ending ending;
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

static const struct decision *find_decision(const struct report *report, int wait_status)
{
    enum ending ending = WIFSIGNALED(wait_status) ? BY_SIGNAL : BY_EXIT;
    enum started started = report->started ? STARTED : NOT_STARTED;
    const struct decision *d = decisions;
    while (d->reported != report->kind || (d->started != EITHER && d->started != started) ||
           (d->ending != BY_ANY && d->ending != ending))
        d++; /* the table is complete, so this ends */
    return d;
}

static const char *fill_in(char *out, size_t size, const struct report *report, int wait_status)
{
    if (report->kind == REPORT_LOAD)
        return report->message;
    if (report->kind == REPORT_EXIT)
        snprintf(out, size, "%d", report->exit_code);
    else if (WIFSIGNALED(wait_status))
        snprintf(out, size, "signal %d (%s)", WTERMSIG(wait_status),
                 signals_name(WTERMSIG(wait_status)));
    else
        snprintf(out, size, "%d", WEXITSTATUS(wait_status));
    return out;
}

static void explain(struct outcome *outcome, const struct decision *d, const char *what,
                    const char *killed_for)
{
    size_t size = strlen(d->text) + strlen(what) + 64;
    char *text = memory_get(size);
/* The formats are those of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    int len = snprintf(text, size, d->text, what);
#pragma GCC diagnostic pop
    if (killed_for)
        snprintf(text + len, size - (size_t)len, ", by its worker for %.32s", killed_for);
    outcome->error = text;
}

void verdict_by_table(struct outcome *outcome, const struct report *report, int wait_status,
                      const char *killed_for)
{
    char what[64];
    *outcome = (struct outcome){0};
    if (report->kind == REPORT_EXIT && report->exit_code == 0 && report->started) {
        outcome->result = memory_copy("null", outcome->result_len = 4);
        return;
    }
    const struct decision *d = find_decision(report, wait_status);
    outcome->kind = d->kind;
    outcome->dirty = d->dirty;
    if (report->kind == REPORT_DONE) {
        outcome->result = memory_copy(report->result, outcome->result_len = report->result_len);
    } else if (report->kind == REPORT_FAILED) {
        outcome->exception = memory_copy(report->exception, strlen(report->exception));
        outcome->error = memory_copy(report->message, strlen(report->message));
        outcome->trace = memory_copy(report->trace, strlen(report->trace));
    } else {
        outcome->exception = memory_copy(DIRTY_EXIT, strlen(DIRTY_EXIT));
        bool own_doing = report->kind != REPORT_NONE; /* it could still tell */
        explain(outcome, d, fill_in(what, sizeof what, report, wait_status),
                own_doing ? NULL : killed_for);
    }
}

/* --- what the table cannot know --- */

/* What the job's process wrote on the board counts where the pipe cannot tell it any more. What was
 * read before it broke stays. */
static void hear_the_board(struct child *c, const struct board_slot *slot, const struct job *job)
{
    if (!c->report.broken || c->report.started ||
        strncmp(slot->started_token, job->token, sizeof slot->started_token) != 0)
        return;
    c->report.started = true;
    c->report.policy.requeue = -1;
}

static double cpu_limit(const struct child *c, const struct options *options)
{
    return c->report.policy.cpu > 0 ? c->report.policy.cpu : options->job_cpu;
}

/* SIGXCPU may come from anybody. The kernel counts ticks for the limit, and half of one that it
 * counts may have been somebody else's. */
static bool used_up_cpu(const struct child *c, const struct options *options)
{
    double seconds = cpu_limit(c, options);
    return WIFSIGNALED(c->wait_status) && WTERMSIG(c->wait_status) == SIGXCPU && seconds > 0 &&
           (double)c->usage.cpu_ms * 2 >= ceil(seconds) * 1000;
}

/* No worker sent it what the CPU limit ends it with. */
static void name_cpu_limit(struct child *c, const struct options *options)
{
    double seconds = cpu_limit(c, options);
    if (c->killed_for || !used_up_cpu(c, options))
        return;
    snprintf(c->limit_text, sizeof c->limit_text, "its CPU limit of %g s", ceil(seconds));
    c->killed_for = c->limit_text;
}

/* "timeout", "memory" or "cpu"; NULL: no limit ended it. */
static const char *limit_of(const struct child *c, enum limit raised, const struct options *options)
{
    if (raised)
        return limit_name(raised);
    if (c->report.kind == REPORT_FAILED)
        return c->report.limit;
    if (c->report.kind != REPORT_NONE)
        return NULL;
    if (c->timed_out)
        return limit_name(LIMIT_TIMEOUT);
    return used_up_cpu(c, options) ? limit_name(LIMIT_CPU) : NULL;
}

/* Seconds or bytes; 0 or infinite: there is no such limit. */
static double amount_of(enum limit which, const struct child *c, const struct options *options)
{
    const struct job_policy *own = &c->report.policy;
    if (which == LIMIT_TIMEOUT)
        return c->timed_out ? c->deadline.seconds : 0;
    if (which == LIMIT_CPU)
        return cpu_limit(c, options);
    size_t bytes = own->memory ? own->memory : options->job_memory;
    return bytes < SIZE_MAX ? (double)bytes : INFINITY;
}

/* The limit whose error something in the job made an exit of. One that came later than the time to
 * tidy up had another reason. */
static enum limit exit_limit(const struct outcome *outcome, const struct child *c,
                             const struct board_slot *slot, const struct options *options)
{
    int64_t ended = c->started_at + c->usage.wall_ms;
    int64_t from = ended - (int64_t)(options->term_timeout * 1000);
    bool by_itself = outcome->dirty && WIFEXITED(c->wait_status) && c->report.kind != REPORT_LOAD;
    if (!by_itself || c->killed_for == cancel_reason)
        return LIMIT_NONE;
    enum limit which =
        raised_between(&slot->raised, from > c->started_at ? from : c->started_at, ended);
    double amount = which ? amount_of(which, c, options) : 0;
    return amount > 0 && isfinite(amount) ? which : LIMIT_NONE;
}

static void say_exit_limit(struct outcome *outcome, enum limit which, const struct child *c,
                           const struct options *options)
{
    static const char how[] = "%s; its process then exited with exit code %d";
    char text[LIMIT_TEXT], error[LIMIT_TEXT + sizeof how + 8];
    limit_say(text, which, amount_of(which, c, options));
    snprintf(error, sizeof error, how, text, WEXITSTATUS(c->wait_status));
    free(outcome->exception);
    free(outcome->error);
    outcome->exception = memory_copy(limit_exception(which), strlen(limit_exception(which)));
    outcome->error = memory_copy(error, strlen(error));
}

void verdict_reach(struct outcome *outcome, struct child *child, const struct job *job,
                   const struct board_slot *slot, struct unstarted *unstarted,
                   const struct options *options)
{
    hear_the_board(child, slot, job);
    name_cpu_limit(child, options);
    verdict_by_table(outcome, &child->report, child->wait_status, child->killed_for);
    outcome->usage = child->usage;
    enum limit raised = exit_limit(outcome, child, slot, options);
    if (raised && outcome->kind == OUTCOME_FAILED)
        say_exit_limit(outcome, raised, child, options);
    unstarted_note(unstarted, job, outcome, child->killed_for && !child->timed_out);
    if (child->killed_for == cancel_reason)
        cancel_judge(outcome, child->report.started);
    outcome->limit = outcome->kind == OUTCOME_FAILED ? limit_of(child, raised, options) : NULL;
    crash_judge(outcome, child, options);
    outcome->tell = outcome_is_failure(outcome) && child->report.on_failure;
}
