/* outcome.c - see outcome.h. */
#include "outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "memory.h"
#include "signals.h"

#define DIRTY_EXIT "Resque::DirtyExit"
#define TRACE_LINES_MAX 200

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

/* --- commit --- */

static void add_done(const struct outcome *o, struct redis_args *args)
{
    redis_args_add_bytes(args, o->result, o->result_len);
}

/* Numbers as ARGV: they live until the call. */
struct numbers {
    char count[16], requeue[16], usage[3][24];
};

static void add_trace(struct redis_args *args, const char *trace, struct numbers *n)
{
    int lines = 0;
    size_t slot = args->count;
    redis_args_add(args, "");
    for (const char *end; trace && lines < TRACE_LINES_MAX && (end = strchr(trace, '\n'));
         trace = end + 1, lines++)
        redis_args_add_bytes(args, trace, (size_t)(end - trace));
    snprintf(n->count, sizeof n->count, "%d", lines);
    args->text[slot] = n->count;
    args->len[slot] = strlen(n->count);
}

/* Empty texts where there was no process. */
static void add_usage(struct redis_args *args, const struct usage *u, struct numbers *n)
{
    const int64_t values[] = {u->wall_ms, u->cpu_ms, u->peak_kb};
    for (int i = 0; i < 3; i++) {
        snprintf(n->usage[i], sizeof n->usage[i], "%" PRId64, values[i]);
        redis_args_add(args, u->known ? n->usage[i] : "");
    }
}

static void add_failure(const struct outcome *o, struct redis_args *args, struct numbers *n)
{
    static const char *const kinds[] = {[OUTCOME_FAILED] = "failed",
                                        [OUTCOME_CRASHED] = "crashed",
                                        [OUTCOME_MALFORMED] = "malformed"};
    redis_args_add(args, kinds[o->kind]);
    redis_args_add(args, o->exception);
    redis_args_add(args, o->error);
    add_usage(args, &o->usage, n);
    redis_args_add(args, o->limit ? o->limit : "");
    redis_args_add_bytes(args, o->output ? o->output : "", o->output_len);
    snprintf(n->requeue, sizeof n->requeue, "%d", o->requeue);
    redis_args_add(args, n->requeue);
}

/* ARGV as done.lua, fail.lua and unreserve.lua want it. */
static enum script build(const struct outcome *o, const struct reserve *reserve,
                         const char *next_token, struct redis_args *args, struct numbers *n)
{
    const char *next = next_token ? next_token : "";
    if (o->kind == OUTCOME_PUT_BACK)
        return SCRIPT_UNRESERVE;
    if (o->kind == OUTCOME_DONE) {
        add_done(o, args);
        reserve_add_terms(reserve, args, next);
    } else {
        add_failure(o, args, n);
        reserve_add_terms(reserve, args, next);
        add_trace(args, o->trace, n);
    }
    if (next_token)
        reserve_add_queues(reserve, args);
    return o->kind == OUTCOME_DONE ? SCRIPT_DONE : SCRIPT_FAIL;
}

/* Put back too often: the script has made a failure of it, and says which. */
static void poison(struct outcome *o, const char *error)
{
    static const char exception[] = "Resque::PoisonJob";
    free(o->exception);
    free(o->error);
    o->kind = OUTCOME_FAILED;
    o->exception = memory_copy(exception, sizeof exception - 1);
    o->error = memory_copy(error, strlen(error));
}

static enum outcome_commit read_answer(struct outcome *o, const struct job *job,
                                       const struct redis_reply *reply)
{
    static const char requeued[] = "REQUEUED ", poisoned[] = "POISON ";
    const char *word = redis_reply_text(redis_reply_at(reply, 0), NULL);
    if (strncmp(word, requeued, sizeof requeued - 1) == 0)
        return COMMIT_REQUEUED;
    if (strncmp(word, poisoned, sizeof poisoned - 1) == 0)
        poison(o, word + sizeof poisoned - 1);
    else if (strcmp(word, "LOST") == 0)
        return COMMIT_LOST;
    else if (strcmp(word, "ALREADY") == 0 && o->kind == OUTCOME_CRASHED)
        return job->attempts < o->requeue ? COMMIT_REQUEUED : COMMIT_WRITTEN; /* most likely */
    else if (strcmp(word, "OK") != 0 && strcmp(word, "ALREADY") != 0)
        return COMMIT_TROUBLE;
    return COMMIT_WRITTEN;
}

enum outcome_commit outcome_commit(struct outcome *o, struct scripts *s, const char *worker_id,
                                   const struct job *job, struct reserve *reserve,
                                   const char *next_token)
{
    struct numbers n;
    struct redis_args *args = scripts_begin(s, worker_id);
    redis_args_add(args, job->token);
    enum script script = build(o, reserve, next_token, args, &n);
    struct redis_reply *reply = scripts_call(s, script);
    if (!reply)
        return COMMIT_TROUBLE;
    enum outcome_commit result = read_answer(o, job, reply);
    if (result == COMMIT_TROUBLE)
        snprintf(s->error, sizeof s->error, "%s", redis_reply_text(redis_reply_at(reply, 1), NULL));
    else if (next_token && result != COMMIT_LOST)
        reserve_hand(reserve, reply, 1);
    redis_reply_free(reply);
    return result;
}
