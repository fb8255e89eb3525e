/* reserve.c - see reserve.h. */
#include "worker/reserve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "redis/answers.h"

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
    reserve_forget(&r->handed);
}

int reserve_expand(struct reserve *r, struct scripts *s, bool now)
{
    if (!r->queues.dynamic || (!now && clock_ms() < r->expand_at))
        return 0;
    char *key = memory_join(s->prefix, "queues", "");
    struct redis_reply *reply =
        redis_command(s->redis, clock_after(SMEMBERS_TIMEOUT), "SMEMBERS", key);
    free(key);
    if (!reply || redis_reply_type(reply) == REDIS_ERROR)
        return scripts_fail_reply(s, reply);
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
    snprintf(job->token, sizeof job->token, "%s", token);
    job->number = colon ? strtoull(colon + 1, NULL, 10) : 0;
    job->queue = copy_element(reply, at + 2, &job->queue_len);
    job->class = copy_element(reply, at + 3, &job->class_len);
    job->id = copy_element(reply, at + 4, &id_len);
    job->payload = copy_element(reply, at + 5, &job->payload_len);
    job->attempts = atoi(redis_reply_text(redis_reply_at(reply, at + 6), NULL));
}

static char *copy_text(const struct redis_reply *reply, size_t index)
{
    size_t len;
    return copy_element(reply, index, &len);
}

static enum reserve_answer answer_of(enum answer answer)
{
    switch (answer) {
    case ANSWER_JOB:
        return RESERVE_JOB;
    case ANSWER_EMPTY:
        return RESERVE_EMPTY;
    case ANSWER_PAUSED:
        return RESERVE_PAUSED;
    case ANSWER_REJECTED:
        return RESERVE_REJECTED;
    case ANSWER_LOST:
        return RESERVE_LOST;
    case ANSWER_CONFLICT:
        return RESERVE_CONFLICT;
    default:
        return RESERVE_NOTHING;
    }
}

static void read_answer(const struct redis_reply *reply, size_t at, struct reservation *got)
{
    *got = (struct reservation){.answer = answer_of(answers_read(reply, at, NULL))};
    if (got->answer == RESERVE_JOB)
        read_job(reply, at, &got->job);
    else if (got->answer == RESERVE_CONFLICT)
        got->why = copy_text(reply, at + 1);
    else if (got->answer == RESERVE_REJECTED) {
        got->queue = copy_text(reply, at + 1);
        got->why = copy_text(reply, at + 2);
    }
}

void reserve_next(struct reserve *r, struct scripts *s, const char *worker_id, const char *token,
                  struct reservation *got)
{
    *got = (struct reservation){.answer = RESERVE_NOTHING};
    struct redis_args *args = scripts_begin(s, worker_id);
    reserve_add_terms(r, args, token);
    reserve_add_queues(r, args);
    struct redis_reply *reply = scripts_call(s, SCRIPT_RESERVE);
    if (!reply)
        return;
    read_answer(reply, 0, got);
    if (got->answer == RESERVE_NOTHING)
        scripts_fail_reply(s, reply);
    else
        redis_reply_free(reply);
}

void reserve_hand(struct reserve *r, const struct redis_reply *reply, size_t at)
{
    read_answer(reply, at, &r->handed);
}

void reserve_take(struct reserve *r, struct reservation *got)
{
    *got = r->handed;
    r->handed = (struct reservation){.answer = RESERVE_NOTHING};
}

void reserve_forget(struct reservation *got)
{
    free(got->queue);
    free(got->why);
    got->queue = got->why = NULL;
}
