/* prune.c - see prune.h. */
#include "manager/prune.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "os/identity.h"
#include "redis/answers.h"

#define TIMEOUT 5.0 /* seconds for one plain command */
/* Ruby's lock: a worker of Ruby's that starts takes it for a minute, or does not clear up. We take
 * it only to remove somebody and give it back. Held just to look around, it would keep the Ruby
 * workers of this host from ever clearing up after each other, and several managers of ours would
 * take turns, so that none of them soon saw the same heartbeat twice. */
#define LOCK_KEY "pruning_dead_workers_in_progress"
#define LOCK_SECONDS "60"

struct prune_seen {
    char *worker_id, *beat;
};

/* --- one worker --- */

static const char *what_became(enum answer fate)
{
    switch (fate) {
    case ANSWER_FAILED:
        return "; its job is recorded as failed: ";
    case ANSWER_POISON:
        return "; its job, put back too often, is recorded as failed: ";
    case ANSWER_PUTBACK:
        return "; its job had not started and is put back: ";
    case ANSWER_REQUEUED:
        return "; its job is put back at the end of its queue: ";
    default:
        return "";
    }
}

/* Calls prune.lua. 1: removed; 0: the proof did not hold any more; -1: scripts->error. */
static int remove_worker(struct scripts *s, const char *worker_id, const char *proof,
                         const char *value, const char *pruner, const char *started_token)
{
    struct redis_args *args = scripts_begin(s, worker_id);
    redis_args_add(args, proof);
    redis_args_add(args, value);
    redis_args_add(args, pruner);
    redis_args_add(args, started_token);
    struct redis_reply *reply = scripts_call(s, SCRIPT_PRUNE);
    if (!reply)
        return -1;
    enum answer answer = answers_read(reply, 0, NULL);
    if (answer != ANSWER_OK && answer != ANSWER_GONE)
        return scripts_fail_reply(s, reply);
    if (answer == ANSWER_OK)
        log_warn("worker %s has died (%s)%s%s", worker_id, proof,
                 what_became(answers_read(reply, 1, NULL)),
                 redis_reply_text(redis_reply_at(reply, 2), NULL));
    redis_reply_free(reply);
    return answer == ANSWER_OK;
}

/* Copies a text from memory that jobs could write, so it may lack its end. */
static void copy_shared(char *to, const char *from, size_t size)
{
    snprintf(to, size, "%.*s", (int)size - 1, from);
}

void prune_owe(struct prune *p, const char *worker_id, const char *nonce, const char *started_token)
{
    p->debts = memory_grow(p->debts, (p->debt_count + 1) * sizeof *p->debts);
    struct prune_debt *d = &p->debts[p->debt_count++];
    copy_shared(d->worker_id, worker_id, sizeof d->worker_id);
    copy_shared(d->nonce, nonce, sizeof d->nonce);
    copy_shared(d->started_token, started_token, sizeof d->started_token);
}

int prune_pay(struct prune *p)
{
    size_t left = 0;
    bool refused = false;
    for (size_t i = 0; i < p->debt_count; i++) {
        const struct prune_debt *d = &p->debts[i];
        int removed = remove_worker(p->scripts, d->worker_id, "reaped", d->nonce, p->pruner,
                                    d->started_token);
        refused = refused || removed == 0;
        if (removed < 0)
            p->debts[left++] = *d;
    }
    p->debt_count = left;
    return left ? -1 : refused;
}

/* --- all workers --- */

void prune_open(struct prune *p, struct scripts *s, double age)
{
    char host[256] = "localhost";
    *p = (struct prune){.scripts = s, .age = age};
    if (gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
    snprintf(p->pruner, sizeof p->pruner, "%s:%d", host, (int)getpid());
}

static void free_seen(struct prune_seen *seen, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(seen[i].worker_id);
        free(seen[i].beat);
    }
    free(seen);
}

void prune_close(struct prune *p)
{
    free_seen(p->seen, p->seen_count);
    free(p->debts);
    p->seen = NULL;
    p->debts = NULL;
    p->seen_count = p->debt_count = 0;
}

/* Returns an array as it is. For any other reply: NULL and scripts->error; it is freed. */
static struct redis_reply *expect_array(struct prune *p, struct redis_reply *reply)
{
    if (reply && redis_reply_type(reply) == REDIS_ARRAY)
        return reply;
    scripts_fail_reply(p->scripts, reply);
    return NULL;
}

static struct redis_reply *ask(struct prune *p, const char *command, const char *name)
{
    char *key = memory_join(p->scripts->prefix, name, "");
    struct redis_reply *reply =
        redis_command(p->scripts->redis, clock_after(TIMEOUT), command, key);
    free(key);
    return expect_array(p, reply);
}

static struct identity read_identity(const struct redis_reply *parts)
{
    struct identity identity;
    const char *part[4];
    for (size_t i = 0; i < 4; i++)
        part[i] = redis_reply_text(redis_reply_at(parts, i), NULL);
    snprintf(identity.boot, sizeof identity.boot, "%s", part[0]);
    snprintf(identity.namespace, sizeof identity.namespace, "%s", part[1]);
    snprintf(identity.pid, sizeof identity.pid, "%s", part[2]);
    snprintf(identity.start, sizeof identity.start, "%s", part[3]);
    return identity;
}

/* Looks for a proof of death. 1: lua:proc names an ended process of this machine, `nonce` is its;
 * 0: no proof; -1: error. */
static int proven_dead(struct prune *p, const char *worker_id, char nonce[WORKER_NONCE_SIZE])
{
    char *key = memory_join(p->scripts->prefix, "lua:proc:", worker_id);
    struct redis_reply *reply = redis_command(p->scripts->redis, clock_after(TIMEOUT), "HMGET", key,
                                              "boot", "ns", "pid", "start", "nonce");
    free(key);
    reply = expect_array(p, reply);
    if (!reply)
        return -1;
    const struct identity identity = read_identity(reply);
    snprintf(nonce, WORKER_NONCE_SIZE, "%s", redis_reply_text(redis_reply_at(reply, 4), NULL));
    redis_reply_free(reply);
    return identity_is_dead(&identity);
}

/* Whether it is one of our own dead: prune_pay knows more of these than any look can see. */
static bool is_owed(const struct prune *p, const char *worker_id)
{
    for (size_t i = 0; i < p->debt_count; i++)
        if (strcmp(p->debts[i].worker_id, worker_id) == 0)
            return true;
    return false;
}

static int prune_if_proven(struct prune *p, const char *worker_id)
{
    char nonce[WORKER_NONCE_SIZE];
    int dead = is_owed(p, worker_id) ? 0 : proven_dead(p, worker_id, nonce);
    if (dead <= 0)
        return dead;
    return remove_worker(p->scripts, worker_id, "proc", nonce, p->pruner, "");
}

/* Prunes each worker that is proven dead. 0; -1: one or more could not be looked at or removed. */
static int prune_proven(struct prune *p, const struct redis_reply *workers)
{
    int result = 0;
    for (size_t i = 0; i < redis_reply_count(workers); i++)
        if (prune_if_proven(p, redis_reply_text(redis_reply_at(workers, i), NULL)) < 0)
            result = -1;
    return result;
}

/* Redis's own clock, in seconds; 0 on error. */
static long long redis_now(struct prune *p)
{
    struct redis_reply *reply =
        expect_array(p, redis_command(p->scripts->redis, clock_after(TIMEOUT), "TIME"));
    long long now = reply ? strtoll(redis_reply_text(redis_reply_at(reply, 0), NULL), NULL, 10) : 0;
    redis_reply_free(reply);
    return now;
}

/* "2026-11-22T09:52:02+00:00", any offset, or Z. -1: not a time, so nothing can be said of its
 * worker. */
static long long beat_seconds(const char *beat)
{
    struct tm tm = {0};
    const char *zone = strptime(beat, "%Y-%m-%dT%H:%M:%S", &tm);
    int hours = 0, minutes = 0;
    if (!zone || (*zone != 'Z' && sscanf(zone, "%3d:%2d", &hours, &minutes) < 1))
        return -1;
    int offset = hours * 3600 + (*zone == '-' ? -minutes : minutes) * 60;
    return (long long)timegm(&tm) - offset;
}

static bool was_seen(const struct prune *p, const char *worker_id, const char *beat)
{
    for (size_t i = 0; i < p->seen_count; i++)
        if (strcmp(p->seen[i].worker_id, worker_id) == 0 && strcmp(p->seen[i].beat, beat) == 0)
            return true;
    return false;
}

static void note(struct prune_seen **seen, size_t *count, const char *worker_id, const char *beat)
{
    *seen = memory_grow(*seen, (*count + 1) * sizeof **seen);
    (*seen)[(*count)++] = (struct prune_seen){memory_copy(worker_id, strlen(worker_id)),
                                              memory_copy(beat, strlen(beat))};
}

static bool take_lock(struct prune *p, const char *key)
{
    struct redis_reply *reply = redis_command(p->scripts->redis, clock_after(TIMEOUT), "SET", key,
                                              p->pruner, "EX", LOCK_SECONDS, "NX");
    bool ours = reply && redis_reply_type(reply) == REDIS_STATUS;
    redis_reply_free(reply);
    return ours;
}

static void release_lock(struct prune *p, const char *key)
{
    struct redis_reply *reply = redis_command(p->scripts->redis, clock_after(TIMEOUT), "GET", key);
    bool ours = reply && strcmp(redis_reply_text(reply, NULL), p->pruner) == 0;
    redis_reply_free(reply);
    if (ours)
        redis_reply_free(redis_command(p->scripts->redis, clock_after(TIMEOUT), "DEL", key));
}

/* The stale ones of `beats`, which is HGETALL workers:heartbeat: id, time, id, time… Returns how
 * many. */
static size_t find_stale(const struct prune *p, const struct redis_reply *beats, long long now,
                         struct prune_seen **stale)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < redis_reply_count(beats); i += 2) {
        const char *worker_id = redis_reply_text(redis_reply_at(beats, i), NULL);
        const char *beat = redis_reply_text(redis_reply_at(beats, i + 1), NULL);
        long long at = beat_seconds(beat);
        if (at >= 0 && (double)(now - at) > p->age)
            note(stale, &count, worker_id, beat);
    }
    return count;
}

/* Removes those of `stale` that the last look saw as well. Without the lock they wait for the next
 * look. */
static int prune_silent(struct prune *p, const struct prune_seen *stale, size_t count)
{
    char *key = memory_join(p->scripts->prefix, LOCK_KEY, "");
    bool locked = false;
    int result = 0;
    for (size_t i = 0; i < count; i++) {
        if (!was_seen(p, stale[i].worker_id, stale[i].beat) || is_owed(p, stale[i].worker_id))
            continue;
        if (!locked && !(locked = take_lock(p, key)))
            break;
        if (remove_worker(p->scripts, stale[i].worker_id, "heartbeat", stale[i].beat, p->pruner,
                          "") < 0)
            result = -1;
    }
    if (locked)
        release_lock(p, key);
    free(key);
    return result;
}

static int look_at_beats(struct prune *p)
{
    struct redis_reply *beats = ask(p, "HGETALL", "workers:heartbeat");
    long long now = beats ? redis_now(p) : 0;
    struct prune_seen *stale = NULL;
    size_t count = now ? find_stale(p, beats, now, &stale) : 0;
    int result = now ? prune_silent(p, stale, count) : -1;
    redis_reply_free(beats);
    if (now) {
        free_seen(p->seen, p->seen_count);
        p->seen = stale;
        p->seen_count = count;
    }
    return result;
}

int prune_look(struct prune *p)
{
    struct redis_reply *workers = ask(p, "SMEMBERS", "workers");
    if (!workers)
        return -1;
    int proven = prune_proven(p, workers);
    redis_reply_free(workers);
    return look_at_beats(p) < 0 ? -1 : proven;
}
