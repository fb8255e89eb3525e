/* registry.c - see registry.h. */
#include "worker/registry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

/* How many workers of one id (containers with the same host name and pid) are told apart. */
#define SAME_ID_MAX 99

/* Seconds after a heartbeat that could not be sent. */
#define BEAT_RETRY 5.0

/* --- opening --- */

static int make_nonce(char nonce[WORKER_NONCE_SIZE])
{
    unsigned char bytes[8];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

/* Every reader of worker ids splits at ':', so an IPv6 address as a host name would break them all.
 */
static void take_host(struct registry *r, const char *host)
{
    if (host)
        snprintf(r->host, sizeof r->host, "%s", host);
    else if (gethostname(r->host, sizeof r->host - 1) < 0 || !r->host[0])
        snprintf(r->host, sizeof r->host, "localhost");
    for (char *at = r->host; (at = strpbrk(at, ": \t\r\n"));)
        *at = '-';
}

static void name_worker(struct registry *r, int same)
{
    char again[8] = "";
    if (same > 1)
        snprintf(again, sizeof again, "~%d", same);
    snprintf(r->id, sizeof r->id, "%s%s:%s:%s", r->host, again, r->identity.pid, r->queues);
    text_clean_utf8(r->id, strlen(r->id)); /* a long list may be cut off inside a character */
}

int registry_open(struct registry *r, struct scripts *s, const struct options *options,
                  const char *queues)
{
    *r = (struct registry){.scripts = s,
                           .queues = queues,
                           .requeue = options->requeue,
                           .period = options->heartbeat,
                           .heartbeat_at = CLOCK_NEVER};
    take_host(r, options->worker_host);
    if (make_nonce(r->nonce) < 0)
        return -1;
    identity_own(&r->identity); /* the manager has said what is missing */
    name_worker(r, 1);
    return 0;
}

void registry_close(struct registry *r)
{
    for (int i = 0; i < REGISTRY_REMEMBERED; i++)
        outcome_clear(&r->remembered[i]);
}

/* --- in the fleet --- */

static struct redis_reply *call_register(struct registry *r)
{
    char requeue[16];
    struct redis_args *args = scripts_begin(r->scripts, r->id);
    snprintf(requeue, sizeof requeue, "%d", r->requeue);
    redis_args_add(args, r->identity.boot);
    redis_args_add(args, r->identity.namespace);
    redis_args_add(args, r->identity.pid);
    redis_args_add(args, r->identity.start);
    redis_args_add(args, r->nonce);
    redis_args_add(args, requeue);
    return scripts_call(r->scripts, SCRIPT_REGISTER);
}

int registry_register(struct registry *r)
{
    for (int same = 1; same <= SAME_ID_MAX; same++) {
        name_worker(r, same);
        struct redis_reply *reply = call_register(r);
        if (!reply)
            return -1;
        bool taken = !scripts_says(reply, 0, "OK");
        redis_reply_free(reply);
        if (!taken) {
            r->heartbeat_at = clock_after(r->period);
            return 0;
        }
    }
    snprintf(r->scripts->error, sizeof r->scripts->error,
             "%d workers called %.100s are registered already", SAME_ID_MAX, r->id);
    return -1;
}

int registry_unregister(struct registry *r)
{
    char committed[24];
    snprintf(committed, sizeof committed, "%" PRIu64, r->committed);
    struct redis_args *args = scripts_begin(r->scripts, r->id);
    redis_args_add(args, r->nonce);
    redis_args_add(args, committed);
    struct redis_reply *reply = scripts_call_once(r->scripts, SCRIPT_UNREGISTER);
    bool left = reply && scripts_says(reply, 0, "OK");
    if (reply && !left) /* a job is in the record, or it is somebody else's: nothing is removed */
        snprintf(r->scripts->error, sizeof r->scripts->error, "%s %.200s",
                 redis_reply_text(redis_reply_at(reply, 0), NULL),
                 redis_reply_text(redis_reply_at(reply, 1), NULL));
    redis_reply_free(reply);
    return left ? 0 : -1;
}

int registry_beat(struct registry *r)
{
    redis_args_add(scripts_begin(r->scripts, r->id), r->nonce);
    int sent = scripts_send(r->scripts, SCRIPT_HEARTBEAT);
    bool soon = sent < 0 && r->period > BEAT_RETRY;
    r->heartbeat_at = clock_after(soon ? BEAT_RETRY : r->period);
    return sent;
}

/* --- tokens --- */

void registry_token(struct registry *r, char token[JOB_TOKEN_SIZE])
{
    snprintf(token, JOB_TOKEN_SIZE, "%s:%" PRIu64, r->nonce, ++r->given);
}

static void note_committed(struct registry *r, const struct job *job)
{
    if (job->number > r->committed)
        r->committed = job->number;
}

void registry_give_up(struct registry *r, const struct job *job, const struct outcome *outcome)
{
    if (outcome->kind != OUTCOME_PUT_BACK)
        note_committed(r, job);
}

void registry_remember(struct registry *r, const struct job *job, const struct outcome *outcome)
{
    size_t slot = job->number % REGISTRY_REMEMBERED;
    struct outcome *kept = &r->remembered[slot];
    note_committed(r, job);
    if (outcome->kind == OUTCOME_PUT_BACK) /* it is to run again */
        return;
    outcome_clear(kept);
    outcome_copy(kept, outcome);
    outcome_shorten(kept); /* what counts is that the job is not run again */
    r->remembered_number[slot] = job->number;
}

const struct outcome *registry_recall(const struct registry *r, const struct job *job)
{
    size_t slot = job->number % REGISTRY_REMEMBERED;
    return job->number && r->remembered_number[slot] == job->number ? &r->remembered[slot] : NULL;
}
