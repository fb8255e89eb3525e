/* scripts.c - see scripts.h. */
#include "redis/scripts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "redis/answers.h"
#include "redis/script_files.h"

static const char *const names[SCRIPT_COUNT] = {
    "reserve", "done", "fail", "unreserve", "register", "unregister", "heartbeat", "note", "prune"};

/* --- the texts --- */

/* Appends a file's text and a newline. 0, or -1: s->error names it. */
static int join(struct scripts *s, char **text, size_t *len, const char *module)
{
    size_t more;
    char *owned;
    const char *file = source_text(&s->context, module, &more, &owned);
    if (!file)
        return scripts_fail(s, "Lua file of module %s is missing", module);
    *text = memory_grow(*text, *len + more + 2);
    memcpy(*text + *len, file, more);
    *len += more;
    (*text)[(*len)++] = '\n';
    (*text)[*len] = '\0';
    free(owned);
    return 0;
}

/* A script's whole text, the caller's to free; NULL: s->error. It is not kept: it is needed once in
 * the life of a connection, and the pages that a worker has are there for every fork to copy. */
static char *join_all(struct scripts *s, enum script script, size_t *len)
{
    char *text = NULL, module[SCRIPT_FILE_NAME];
    *len = 0;
    for (size_t n = 0; script_files_name(names[script], n, module); n++)
        if (join(s, &text, len, module) < 0) {
            free(text);
            return NULL;
        }
    return text;
}

void scripts_open(struct scripts *s, struct redis *redis, const char *prefix,
                  const struct source_context *context)
{
    *s = (struct scripts){
        .redis = redis, .prefix = prefix, .context = *context, .patience = SCRIPTS_PATIENCE};
}

void scripts_close(struct scripts *s)
{
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
    static const char *const codes[] = {"READONLY", "LOADING",   "MASTERDOWN",
                                        "NOAUTH",   "UNBLOCKED", NULL};
    return redis_reply_is_one_of(reply, codes);
}

bool scripts_will_pass(const char *error)
{
    static const char *const codes[] = {"LOADING ", "BUSY ", "MASTERDOWN "};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strncmp(error, codes[i], strlen(codes[i])) == 0)
            return true;
    return false;
}

int scripts_fail(struct scripts *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(s->error, sizeof s->error, format, args);
    va_end(args);
    return -1;
}

/* What a reply without a word of the table says of itself. */
static int fail_unknown(struct scripts *s, const char *word)
{
    if (!*word)
        return scripts_fail(s, "unexpected reply");
    return scripts_fail(s, "unexpected answer of a server script: \"%.100s\"", word);
}

int scripts_fail_reply(struct scripts *s, struct redis_reply *reply)
{
    if (!reply)
        return scripts_fail(s, "%s", redis_error(s->redis));
    const char *word = redis_reply_text(redis_reply_at(reply, 0), NULL);
    const char *detail = redis_reply_text(redis_reply_at(reply, 1), NULL);
    enum answer answer = answers_read(reply, 0, NULL);
    if (redis_reply_type(reply) == REDIS_ERROR)
        scripts_fail(s, "%s", redis_reply_text(reply, NULL));
    else if (answer == ANSWER_UNKNOWN)
        fail_unknown(s, word);
    else if (answer == ANSWER_ERR)
        scripts_fail(s, "%s", detail);
    else
        scripts_fail(s, "%s%s%.200s", word, *detail ? " " : "", detail);
    redis_reply_free(reply);
    return -1;
}

/* Passes a useful reply through; turns the rest into NULL and s->error. */
static struct redis_reply *judge(struct scripts *s, struct redis_reply *reply)
{
    if (reply && redis_reply_count(reply) > 0)
        return reply;
    /* a reply of another shape means that the stream is out of step */
    bool lost = reply && (redis_reply_type(reply) != REDIS_ERROR || wants_reconnect(reply));
    scripts_fail_reply(s, reply);
    if (lost)
        redis_disconnect(s->redis);
    return NULL;
}

static int load(struct scripts *s, enum script script, int64_t deadline)
{
    size_t len;
    char *text = join_all(s, script, &len);
    if (!text)
        return -1;
    struct redis_reply *reply = redis_command(s->redis, deadline, "SCRIPT", "LOAD", text);
    free(text);
    if (!reply || redis_reply_type(reply) != REDIS_STRING) {
        judge(s, reply);
        return -1;
    }
    snprintf(s->digest[script], sizeof s->digest[script], "%s", redis_reply_text(reply, NULL));
    redis_reply_free(reply);
    return 0;
}

/* The whole text instead of its digest. */
static struct redis_reply *evaluate(struct scripts *s, enum script script, int64_t deadline)
{
    size_t len;
    char *text = join_all(s, script, &len);
    if (!text)
        return NULL;
    name_script(s, "EVAL", text, len);
    struct redis_reply *reply = redis_call(s->redis, &s->args, deadline);
    free(text);
    return judge(s, reply);
}

struct redis_reply *scripts_call(struct scripts *s, enum script script)
{
    int64_t deadline = clock_after(s->patience);
    if (!s->digest[script][0] && load(s, script, deadline) < 0)
        return NULL;
    name_script(s, "EVALSHA", s->digest[script], strlen(s->digest[script]));
    struct redis_reply *reply = redis_call(s->redis, &s->args, deadline);
    if (!reply || !redis_reply_is_error(reply, "NOSCRIPT"))
        return judge(s, reply);
    redis_reply_free(reply);
    return evaluate(s, script, deadline);
}

struct redis_reply *scripts_call_once(struct scripts *s, enum script script)
{
    return evaluate(s, script, clock_after(s->patience));
}

/* Loads every script and runs a harmless one. 0, or -1 and s->error. */
static int probe(struct scripts *s)
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

const char *scripts_reach(struct scripts *s, double seconds, const char **hint)
{
    const char *why;
    if (redis_connect(s->redis, clock_after(seconds)) < 0) {
        why = redis_error(s->redis);
    } else {
        if (redis_remark(s->redis))
            log_warn("Redis at %s %s", redis_where(s->redis), redis_remark(s->redis));
        if (probe(s) == 0)
            return NULL;
        why = s->error;
    }
    *hint = redis_hint(redis_trouble(s->redis), why);
    if (!*hint)
        *hint = "`resque-lua doctor` looks whether this Redis is fit";
    return why;
}

bool scripts_connected(struct scripts *s, double seconds)
{
    bool was = redis_connected(s->redis);
    if (redis_usable(s->redis))
        return true;
    if (was)
        log_debug("the connection to Redis at %s was closed while nothing was under way; opening "
                  "another",
                  redis_where(s->redis));
    return redis_connect(s->redis, clock_after(seconds)) == 0;
}

int scripts_send(struct scripts *s, enum script script)
{
    size_t len;
    char *text = join_all(s, script, &len); /* not the digest: nobody would see a NOSCRIPT */
    if (!text)
        return -1;
    name_script(s, "EVAL", text, len);
    int result = redis_send(s->redis, &s->args);
    free(text);
    return result;
}
