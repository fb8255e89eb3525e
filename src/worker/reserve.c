/* reserve.c - see reserve.h. */
#include "worker/reserve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

/* Seconds for which an expansion of wildcards holds while jobs keep coming. */
#define EXPAND_EVERY 1.0
#define SMEMBERS_TIMEOUT 5.0

int reserve_open(struct reserve *r, const char *queues, size_t max_payload,
                 const struct resting *resting, char *err, size_t err_size)
{
    *r = (struct reserve){.resting = resting, .handed.answer = RESERVE_NOTHING};
    snprintf(r->max_payload, sizeof r->max_payload, "%zu", max_payload);
    return queues_parse(&r->queues, queues, err, err_size);
}

void reserve_close(struct reserve *r)
{
    queues_clear(&r->queues);
    job_clear(&r->handed.job);
}

int reserve_expand(struct reserve *r, struct scripts *s, bool now)
{
    if (!r->queues.dynamic || (!now && clock_ms() < r->expand_at))
        return 0;
    char *key = memory_join(s->prefix, "queues", "");
    struct redis_reply *reply =
        redis_command(s->redis, clock_after(SMEMBERS_TIMEOUT), "SMEMBERS", key);
    free(key);
    if (!reply || redis_reply_type(reply) == REDIS_ERROR) {
        snprintf(s->error, sizeof s->error, "%s",
                 reply ? redis_reply_text(reply, NULL) : redis_error(s->redis));
        redis_reply_free(reply);
        return -1;
    }
    size_t count = redis_reply_count(reply);
    const char **known = memory_get(count * sizeof *known);
    for (size_t i = 0; i < count; i++)
        known[i] = redis_reply_text(redis_reply_at(reply, i), NULL);
    queues_expand(&r->queues, known, count);
    free(known);
    redis_reply_free(reply);
    r->expand_at = clock_after(EXPAND_EVERY);
    return 0;
}

void reserve_add_terms(const struct reserve *r, struct redis_args *args, const char *token)
{
    redis_args_add(args, token);
    redis_args_add(args, r->max_payload);
}

void reserve_add_queues(const struct reserve *r, struct redis_args *args)
{
    for (size_t i = 0; i < r->queues.count; i++)
        if (!resting_has(r->resting, r->queues.names[i]))
            redis_args_add(args, r->queues.names[i]);
}

static char *copy_element(const struct redis_reply *reply, size_t index, size_t *len)
{
    const char *text = redis_reply_text(redis_reply_at(reply, index), len);
    return memory_copy(text, *len);
}

static void read_job(const struct redis_reply *reply, size_t at, struct job *job)
{
    size_t id_len;
    const char *token = redis_reply_text(redis_reply_at(reply, at + 1), NULL);
    const char *colon = strchr(token, ':');
    job_clear(job);
    snprintf(job->token, sizeof job->token, "%s", token);
    job->number = colon ? strtoull(colon + 1, NULL, 10) : 0;
    job->queue = copy_element(reply, at + 2, &job->queue_len);
    job->class = copy_element(reply, at + 3, &job->class_len);
    job->id = copy_element(reply, at + 4, &id_len);
    job->payload = copy_element(reply, at + 5, &job->payload_len);
    job->attempts = atoi(redis_reply_text(redis_reply_at(reply, at + 6), NULL));
}

static enum reserve_answer read_answer(const struct redis_reply *reply, size_t at, struct job *job)
{
    static const struct {
        const char *word;
        enum reserve_answer answer;
    } answers[] = {{"EMPTY", RESERVE_EMPTY}, {"PAUSED", RESERVE_PAUSED}, {"LOST", RESERVE_LOST}};
    if (scripts_says(reply, at, "JOB")) {
        read_job(reply, at, job);
        return RESERVE_JOB;
    }
    if (scripts_says(reply, at, "CONFLICT")) {
        log_error("the record of this worker is held by another worker (token %s)",
                  redis_reply_text(redis_reply_at(reply, at + 1), NULL));
        return RESERVE_CONFLICT;
    }
    if (scripts_says(reply, at, "REJECTED")) {
        log_warn("(Job{%s}) a payload that cannot be run is in the failed list: %s",
                 redis_reply_text(redis_reply_at(reply, at + 1), NULL),
                 redis_reply_text(redis_reply_at(reply, at + 2), NULL));
        return RESERVE_REJECTED;
    }
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        if (scripts_says(reply, at, answers[i].word))
            return answers[i].answer;
    return RESERVE_NOTHING;
}

enum reserve_answer reserve_next(struct reserve *r, struct scripts *s, const char *worker_id,
                                 const char *token, struct job *job)
{
    struct redis_args *args = scripts_begin(s, worker_id);
    reserve_add_terms(r, args, token);
    reserve_add_queues(r, args);
    struct redis_reply *reply = scripts_call(s, SCRIPT_RESERVE);
    if (!reply)
        return RESERVE_NOTHING;
    enum reserve_answer answer = read_answer(reply, 0, job);
    if (answer == RESERVE_NOTHING)
        snprintf(s->error, sizeof s->error, "%s", redis_reply_text(redis_reply_at(reply, 1), NULL));
    redis_reply_free(reply);
    return answer;
}

void reserve_hand(struct reserve *r, const struct redis_reply *reply, size_t at)
{
    r->handed.answer = read_answer(reply, at, &r->handed.job);
}

enum reserve_answer reserve_take(struct reserve *r, struct job *job)
{
    enum reserve_answer answer = r->handed.answer;
    if (answer == RESERVE_JOB) {
        *job = r->handed.job;
        r->handed.job = (struct job){0};
    }
    r->handed.answer = RESERVE_NOTHING;
    return answer;
}
