/* commit.c - see commit.h. */
#include "worker/commit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "job/job.h"
#include "job/outcome.h"
#include "redis/answers.h"
#include "redis/scripts.h"
#include "worker/reserve.h"

#define TRACE_LINES_MAX 200
#define LONG (64 * 1024) /* bytes of an outcome; shorter ones are refused for other reasons */
#define CUTS_MAX 5       /* in a row, each on a new connection that was fine until then */

static void add_done(const struct outcome *outcome, struct redis_args *args)
{
    redis_args_add_bytes(args, outcome->result, outcome->result_len);
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

/* Adds the usage of a job's process; empty texts where there was none. */
static void add_usage(struct redis_args *args, const struct usage *u, struct numbers *n)
{
    const int64_t values[] = {u->wall_ms, u->cpu_ms, u->peak_kb};
    for (int i = 0; i < 3; i++) {
        snprintf(n->usage[i], sizeof n->usage[i], "%" PRId64, values[i]);
        redis_args_add(args, u->known ? n->usage[i] : "");
    }
}

static void add_failure(const struct outcome *outcome, struct redis_args *args, struct numbers *n)
{
    static const char *const kinds[] = {[OUTCOME_FAILED] = "failed",
                                        [OUTCOME_CRASHED] = "crashed",
                                        [OUTCOME_MALFORMED] = "malformed"};
    redis_args_add(args, kinds[outcome->kind]);
    redis_args_add(args, outcome->exception);
    redis_args_add(args, outcome->error);
    add_usage(args, &outcome->usage, n);
    redis_args_add(args, outcome->limit ? outcome->limit : "");
    redis_args_add_bytes(args, outcome->output ? outcome->output : "", outcome->output_len);
    snprintf(n->requeue, sizeof n->requeue, "%d", outcome->requeue);
    redis_args_add(args, n->requeue);
}

/* Builds ARGV for done.lua, fail.lua or unreserve.lua. Returns which script. */
static enum script build(const struct outcome *outcome, const struct reserve *reserve,
                         const char *next_token, struct redis_args *args, struct numbers *n)
{
    const char *next = next_token ? next_token : "";
    if (outcome->kind == OUTCOME_PUT_BACK)
        return SCRIPT_UNRESERVE;
    if (outcome->kind == OUTCOME_DONE) {
        add_done(outcome, args);
        reserve_add_terms(reserve, args, next);
    } else {
        add_failure(outcome, args, n);
        reserve_add_terms(reserve, args, next);
        add_trace(args, outcome->trace, n);
    }
    if (next_token)
        reserve_add_queues(reserve, args);
    return outcome->kind == OUTCOME_DONE ? SCRIPT_DONE : SCRIPT_FAIL;
}

/* Makes the outcome the failure that the script made of a job which was put back too often. */
static void poison(struct outcome *outcome, const char *error)
{
    static const char exception[] = "Resque::PoisonJob";
    free(outcome->exception);
    free(outcome->error);
    outcome->kind = OUTCOME_FAILED;
    outcome->exception = memory_copy(exception, sizeof exception - 1);
    outcome->error = memory_copy(error, strlen(error));
}

static enum commit_result read_answer(struct outcome *outcome, const struct job *job,
                                      const struct redis_reply *reply)
{
    const char *text;
    switch (answers_read(reply, 0, &text)) {
    case ANSWER_OK:
        return COMMIT_WRITTEN;
    case ANSWER_REQUEUED:
        return COMMIT_REQUEUED;
    case ANSWER_POISON:
        poison(outcome, text);
        return COMMIT_WRITTEN;
    case ANSWER_ALREADY: /* what became of a crash is not known: most likely this */
        return outcome->kind == OUTCOME_CRASHED && job->attempts < outcome->requeue
                   ? COMMIT_REQUEUED
                   : COMMIT_WRITTEN;
    case ANSWER_LOST:
        return COMMIT_LOST;
    default:
        return COMMIT_TROUBLE;
    }
}

enum commit_result commit_outcome(struct outcome *outcome, struct scripts *s, const char *worker_id,
                                  const struct job *job, struct reserve *reserve,
                                  const char *next_token)
{
    struct numbers n;
    struct redis_args *args = scripts_begin(s, worker_id);
    redis_args_add(args, job->token);
    enum script script = build(outcome, reserve, next_token, args, &n);
    struct redis_reply *reply = scripts_call(s, script);
    if (!reply)
        return COMMIT_TROUBLE;
    enum commit_result result = read_answer(outcome, job, reply);
    if (result == COMMIT_TROUBLE) {
        scripts_fail_reply(s, reply);
        return result;
    }
    if (next_token && result != COMMIT_LOST)
        reserve_hand(reserve, reply, 1);
    redis_reply_free(reply);
    return result;
}

bool commit_shorten(struct outcome *outcome, const struct scripts *s, int *cuts)
{
    bool cut = !redis_connected(s->redis) && redis_trouble(s->redis) == REDIS_CUT;
    *cuts = cut ? *cuts + 1 : 0;
    if (outcome_size(outcome) <= LONG || (*cuts < CUTS_MAX && !redis_says_too_long(s->error)))
        return false;
    outcome_shorten(outcome);
    return true;
}
