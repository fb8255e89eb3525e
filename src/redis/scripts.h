/* scripts.h - the server-side scripts (lua/server) on one connection, and what goes wrong when
 * calling them.
 *
 * A script is loaded at its first use and called by its digest; after NOSCRIPT (restart, SCRIPT
 * FLUSH) the whole text is sent once. Reserve, finish and put back are each one such call, so a job
 * is always in one place. */
#ifndef SCRIPTS_H
#define SCRIPTS_H

#include "base/source.h"
#include "redis/redis.h"

enum script {
    SCRIPT_RESERVE,
    SCRIPT_DONE,
    SCRIPT_FAIL,
    SCRIPT_UNRESERVE,
    SCRIPT_REGISTER,
    SCRIPT_UNREGISTER,
    SCRIPT_HEARTBEAT,
    SCRIPT_NOTE,
    SCRIPT_PRUNE,
    SCRIPT_COUNT
};

#define SCRIPTS_PATIENCE 5.0  /* seconds */
#define SCRIPTS_FAREWELL 0.75 /* of one who is leaving: Redis may not answer at all */

struct scripts {
    struct redis *redis; /* borrowed */
    const char *prefix;  /* borrowed; ends in ':' */
    struct source_context context;
    char digest[SCRIPT_COUNT][41]; /* "": not loaded yet */
    double patience;        /* seconds one call may take; then it is made on a new connection */
    struct redis_args args; /* of the call being built */
    char *key;              /* its KEYS[1] */
    char error[256];        /* why the last call failed; set by scripts_fail alone */
};

void scripts_open(struct scripts *s, struct redis *redis, const char *prefix,
                  const struct source_context *context);
void scripts_close(struct scripts *s);

/* Whether an error says that the server is busy with itself (loading its data, in a script, without
 * its master), which passes without anybody doing anything here. */
bool scripts_will_pass(const char *error);

/* Connects, within so many seconds, and tries whether Redis lets us do what we must: what this user
 * may not do shows now. NULL; or what is wrong, and a hint for whoever started the program. */
const char *scripts_reach(struct scripts *s, double seconds, const char **hint);

/* Whether there is a connection to call on: the one that is there, or, where it was lost or closed
 * while nothing was under way (Redis's `timeout`, a proxy, a router), another, opened within so
 * many seconds. */
bool scripts_connected(struct scripts *s, double seconds);

/* Starts a call: KEYS[1] is worker:<id>, ARGV[1] the prefix, ARGV[2] the id. Add the rest to the
 * result. */
struct redis_args *scripts_begin(struct scripts *s, const char *worker_id);

/* Calls with what scripts_begin returned. NULL: cut, or the server refused (READONLY, OOM,
 * LOADING…): s->error says which, and nothing is known about whether the script ran if
 * redis_connected is false. The reply is always an array whose first element is a word. */
struct redis_reply *scripts_call(struct scripts *s, enum script script);

/* The same for what is called once in the life of a process: one trip, with the whole text. */
struct redis_reply *scripts_call_once(struct scripts *s, enum script script);

/* Sends it and drops the reply when it comes. */
int scripts_send(struct scripts *s, enum script script);

/* Sets the error, which nobody else writes. Always -1, so that callers can return it. */
int scripts_fail(struct scripts *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets the error to what an unwelcome reply says: the reason behind ERR, an unknown word in quotes,
 * else the word and the element behind that. Frees the reply, which may be an error of Redis or
 * NULL (the connection is gone). Always -1. */
int scripts_fail_reply(struct scripts *s, struct redis_reply *reply);

#endif
