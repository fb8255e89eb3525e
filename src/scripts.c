/* scripts.c - see scripts.h. */
#include "scripts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "memory.h"

static const char *const names[SCRIPT_COUNT] = {"reserve",  "done",       "fail",      "unreserve",
                                                "register", "unregister", "heartbeat", "prune"};

/* --- the texts --- */

static int join(struct scripts *s, enum script script, const struct source_place *place,
                const char *module)
{
    size_t len;
    char *owned;
    const char *text = source_text(place, module, &len, &owned);
    if (!text) {
        snprintf(s->error, sizeof s->error, "Lua file of module %s is missing", module);
        return -1;
    }
    s->text[script] = memory_grow(s->text[script], s->len[script] + len + 2);
    memcpy(s->text[script] + s->len[script], text, len);
    s->len[script] += len;
    s->text[script][s->len[script]++] = '\n';
    s->text[script][s->len[script]] = '\0';
    free(owned);
    return 0;
}

static int join_all(struct scripts *s, enum script script, const struct source_place *place)
{
    const char *lib;
    for (size_t i = 0; (lib = source_name("server.lib.", i)); i++)
        if (join(s, script, place, lib) < 0)
            return -1;
    char module[64];
    snprintf(module, sizeof module, "server.%s", names[script]);
    return join(s, script, place, module);
}

int scripts_open(struct scripts *s, struct redis *redis, const char *prefix,
                 const struct source_place *place)
{
    *s = (struct scripts){.redis = redis, .prefix = prefix, .patience = SCRIPTS_PATIENCE};
    for (int script = 0; script < SCRIPT_COUNT; script++)
        if (join_all(s, (enum script)script, place) < 0)
            return -1;
    return 0;
}

void scripts_close(struct scripts *s)
{
    for (int script = 0; script < SCRIPT_COUNT; script++)
        free(s->text[script]);
    redis_args_clear(&s->args);
    free(s->key);
    s->key = NULL;
}

/* --- calls --- */

struct redis_args *scripts_begin(struct scripts *s, const char *worker_id)
{
    free(s->key);
    s->key = memory_join(s->prefix, "worker:", worker_id); /* ids of others may be long */
    redis_args_reset(&s->args);
    redis_args_add(&s->args, "EVALSHA");
    redis_args_add(&s->args, ""); /* the digest, or the text: filled in by the call */
    redis_args_add(&s->args, "1");
    redis_args_add(&s->args, s->key);
    redis_args_add(&s->args, s->prefix);
    redis_args_add(&s->args, worker_id);
    return &s->args;
}

static void name_script(struct scripts *s, const char *verb, const char *text, size_t len)
{
    s->args.text[0] = verb;
    s->args.len[0] = strlen(verb);
    s->args.text[1] = text;
    s->args.len[1] = len;
}

/* States of the server that a new connection may find changed: a failover, a restart, a new
 * password. */
static bool wants_reconnect(const struct redis_reply *reply)
{
    static const char *const codes[] = {"READONLY", "LOADING", "MASTERDOWN", "NOAUTH", "UNBLOCKED"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (redis_reply_is_error(reply, codes[i]))
            return true;
    return false;
}

/* Passes a useful reply through; turns the rest into NULL and s->error. */
static struct redis_reply *judge(struct scripts *s, struct redis_reply *reply)
{
    if (reply && redis_reply_count(reply) > 0)
        return reply;
    if (!reply) {
        snprintf(s->error, sizeof s->error, "%s", redis_error(s->redis));
        return NULL;
    }
    bool error = redis_reply_type(reply) == REDIS_ERROR;
    snprintf(s->error, sizeof s->error, "%s",
             error ? redis_reply_text(reply, NULL) : "unexpected reply");
    if (!error ||
        wants_reconnect(reply)) /* a reply of another shape means that the stream is out of step */
        redis_disconnect(s->redis);
    redis_reply_free(reply);
    return NULL;
}

static int load(struct scripts *s, enum script script, int64_t deadline)
{
    struct redis_reply *reply =
        redis_command(s->redis, deadline, "SCRIPT", "LOAD", s->text[script]);
    if (!reply || redis_reply_type(reply) != REDIS_STRING) {
        judge(s, reply);
        return -1;
    }
    snprintf(s->digest[script], sizeof s->digest[script], "%s", redis_reply_text(reply, NULL));
    redis_reply_free(reply);
    return 0;
}

struct redis_reply *scripts_call(struct scripts *s, enum script script)
{
    int64_t deadline = clock_after(s->patience);
    if (!s->digest[script][0] && load(s, script, deadline) < 0)
        return NULL;
    name_script(s, "EVALSHA", s->digest[script], strlen(s->digest[script]));
    struct redis_reply *reply = redis_call(s->redis, &s->args, deadline);
    if (reply && redis_reply_is_error(reply, "NOSCRIPT")) {
        redis_reply_free(reply);
        name_script(s, "EVAL", s->text[script], s->len[script]);
        reply = redis_call(s->redis, &s->args, deadline);
    }
    return judge(s, reply);
}

int scripts_probe(struct scripts *s)
{
    for (int script = 0; script < SCRIPT_COUNT; script++)
        if (load(s, (enum script)script, clock_after(s->patience)) < 0)
            return -1;
    scripts_begin(s, "nobody:0:nothing");
    struct redis_reply *reply =
        scripts_call(s, SCRIPT_HEARTBEAT); /* of a worker that is not there */
    int result = reply ? 0 : -1;
    redis_reply_free(reply);
    return result;
}

int scripts_send(struct scripts *s, enum script script)
{
    name_script(s, "EVAL", s->text[script], s->len[script]); /* nobody would see a NOSCRIPT */
    return redis_send(s->redis, &s->args);
}

bool scripts_says(const struct redis_reply *reply, size_t index, const char *word)
{
    return strcmp(redis_reply_text(redis_reply_at(reply, index), NULL), word) == 0;
}
