/* outcome.c - see outcome.h. */
#include "outcome.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "memory.h"
#include "signals.h"

#define DIRTY_EXIT "Resque::DirtyExit"

/* --- decide --- */

enum started { NOT_STARTED, STARTED, EITHER };
enum ending { BY_SIGNAL, BY_EXIT, BY_ANY };

static const struct decision {
    enum report_end reported;
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
    while (d->reported != report->end || (d->started != EITHER && d->started != started) ||
           (d->ending != BY_ANY && d->ending != ending))
        d++; /* the table is complete, so this ends */
    return d;
}

static const char *fill_in(char *out, size_t size, const struct report *report, int wait_status)
{
    if (report->end == REPORT_LOAD)
        return report->message;
    if (report->end == REPORT_EXIT)
        snprintf(out, size, "%d", report->exit_code);
    else if (WIFSIGNALED(wait_status))
        snprintf(out, size, "signal %d (%s)", WTERMSIG(wait_status),
                 signals_name(WTERMSIG(wait_status)));
    else
        snprintf(out, size, "%d", WEXITSTATUS(wait_status));
    return out;
}

static void explain(struct outcome *o, const struct decision *d, const char *what,
                    const char *killed_for)
{
    size_t size = strlen(d->text) + strlen(what) + 64;
    char *text = memory_get(size);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are those of the table above   \
                                                      */
    int len = snprintf(text, size, d->text, what);
#pragma GCC diagnostic pop
    if (killed_for)
        snprintf(text + len, size - (size_t)len, ", by its worker for %.32s", killed_for);
    o->error = text;
}

void outcome_decide(struct outcome *o, const struct report *report, int wait_status,
                    const char *killed_for)
{
    char what[64];
    *o = (struct outcome){0};
    if (report->end == REPORT_EXIT && report->exit_code == 0 && report->started) {
        o->result = memory_copy("null", o->result_len = 4);
        return;
    }
    const struct decision *d = find_decision(report, wait_status);
    o->kind = d->kind;
    o->dirty = d->dirty;
    if (report->end == REPORT_DONE) {
        o->result = memory_copy(report->result, o->result_len = report->result_len);
    } else if (report->end == REPORT_FAILED) {
        o->exception = memory_copy(report->exception, strlen(report->exception));
        o->error = memory_copy(report->message, strlen(report->message));
        o->trace = memory_copy(report->trace, strlen(report->trace));
    } else {
        o->exception = memory_copy(DIRTY_EXIT, strlen(DIRTY_EXIT));
        explain(o, d, fill_in(what, sizeof what, report, wait_status), killed_for);
    }
}

void outcome_fail(struct outcome *o, enum outcome_kind kind, const char *exception,
                  const char *error)
{
    *o = (struct outcome){.kind = kind,
                          .exception = memory_copy(exception, strlen(exception)),
                          .error = memory_copy(error, strlen(error))};
}

void outcome_put_back(struct outcome *o, const char *why)
{
    *o = (struct outcome){.kind = OUTCOME_PUT_BACK, .error = memory_copy(why, strlen(why))};
}

static char *copy_text(const char *text)
{
    return text ? memory_copy(text, strlen(text)) : NULL;
}

void outcome_copy(struct outcome *to, const struct outcome *from)
{
    *to = (struct outcome){.kind = from->kind,
                           .dirty = from->dirty,
                           .usage = from->usage,
                           .limit = from->limit,
                           .requeue = from->requeue,
                           .result =
                               from->result ? memory_copy(from->result, from->result_len) : NULL,
                           .result_len = from->result_len,
                           .exception = copy_text(from->exception),
                           .error = copy_text(from->error),
                           .trace = copy_text(from->trace)};
}

void outcome_clear(struct outcome *o)
{
    free(o->result);
    free(o->exception);
    free(o->error);
    free(o->trace);
    free(o->output);
    *o = (struct outcome){0};
}
