/* registry.c - see registry.h. */
#include "worker/registry.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"
#include "redis/answers.h"

/* How many workers of one id (containers with the same host name and pid) are told apart. */
#define SAME_ID_MAX 99

/* Seconds after a heartbeat that could not be sent. */
#define BEAT_RETRY 5.0

/* --- opening --- */

/* Takes the host with '-' for ':': readers of worker ids split there, and a host may be an IPv6
 * address. */
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

void registry_open(struct registry *r, struct scripts *s, const struct ledger *ledger,
                   const struct options *options, const char *queues)
{
    *r = (struct registry){.scripts = s,
                           .ledger = ledger,
                           .queues = queues,
                           .requeue = options->fleet.requeue,
                           .period = options->fleet.heartbeat,
                           .heartbeat_at = CLOCK_NEVER};
    take_host(r, options->fleet.worker_host);
    identity_own(&r->identity); /* the manager has said what is missing */
    name_worker(r, 1);
}

/* --- in the fleet --- */

static struct redis_reply *call_register(struct registry *r)
{
    char requeue[16], features[16];
    struct redis_args *args = scripts_begin(r->scripts, r->id);
    snprintf(requeue, sizeof requeue, "%d", r->requeue);
    snprintf(features, sizeof features, "%d", VERSION_FEATURES);
    redis_args_add(args, r->identity.boot);
    redis_args_add(args, r->identity.namespace);
    redis_args_add(args, r->identity.pid);
    redis_args_add(args, r->identity.start);
    redis_args_add(args, r->ledger->nonce);
    redis_args_add(args, requeue);
    redis_args_add(args, features);
    return scripts_call(r->scripts, SCRIPT_REGISTER);
}

int registry_register(struct registry *r)
{
    for (int same = 1; same <= SAME_ID_MAX; same++) {
        name_worker(r, same);
        struct redis_reply *reply = call_register(r);
        if (!reply)
            return -1;
        enum answer answer = answers_read(reply, 0, NULL);
        if (answer != ANSWER_OK && answer != ANSWER_TAKEN)
            return scripts_fail_reply(r->scripts, reply);
        redis_reply_free(reply);
        if (answer == ANSWER_OK) {
            r->heartbeat_at = clock_after(r->period);
            return 0;
        }
    }
    return scripts_fail(r->scripts, "%d workers called %.100s are registered already", SAME_ID_MAX,
                        r->id);
}

int registry_unregister(struct registry *r)
{
    char committed[24];
    snprintf(committed, sizeof committed, "%" PRIu64, r->ledger->committed);
    struct redis_args *args = scripts_begin(r->scripts, r->id);
    redis_args_add(args, r->ledger->nonce);
    redis_args_add(args, committed);
    struct redis_reply *reply = scripts_call_once(r->scripts, SCRIPT_UNREGISTER);
    if (!reply)
        return -1;
    if (answers_read(reply, 0, NULL) != ANSWER_OK) /* a job is in the record, or it is another's */
        return scripts_fail_reply(r->scripts, reply);
    redis_reply_free(reply);
    return 0;
}

int registry_beat(struct registry *r)
{
    redis_args_add(scripts_begin(r->scripts, r->id), r->ledger->nonce);
    int sent = scripts_send(r->scripts, SCRIPT_HEARTBEAT);
    bool soon = sent < 0 && r->period > BEAT_RETRY;
    r->heartbeat_at = clock_after(soon ? BEAT_RETRY : r->period);
    return sent;
}
