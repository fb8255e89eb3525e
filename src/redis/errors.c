/* errors.c - what Redis's errors mean for a connection and for people, see redis.h. */
#include <string.h>

#include "redis/auth.h"

enum redis_trouble redis_reply_trouble(const struct redis_reply *error)
{
    bool denied = redis_auth_denies(error) || redis_reply_is_error(error, "DENIED");
    return denied ? REDIS_DENIED : REDIS_REFUSED;
}

bool redis_reply_is_last(const struct redis_reply *reply)
{
    static const char *const codes[] = {"ERR Protocol error", "ERR max number of clients",
                                        "DENIED Redis is running in protected mode", NULL};
    return redis_reply_is_one_of(reply, codes);
}

/* --- for people --- */

static const char where[] = "is Redis running there? REDIS_BACKEND or --redis says where";
static const char who[] = "REDIS_PASSWORD, REDIS_PASSWORD_FILE or redis://user:password@host, as "
                          "REDIS_BACKEND or --redis, says who we are";
static const char closed[] =
    "the connection was closed, and nobody said why: the log of Redis, or of "
    "a proxy before it, may";
static const char too_long[] = "a text is larger than Redis takes: proto-max-bulk-len in its "
                               "redis.conf";
static const char name[] = "this machine does not know the name (localhost stands in /etc/hosts): "
                           "an address, as 127.0.0.1, needs none";
static const char no_password[] = "this Redis has no password: name none";
static const char databases[] = "`databases` in its redis.conf says how many there are; "
                                "REDIS_BACKEND_DB or the address names one";

static const struct {
    const char *sentence, *hint;
} known[] = {
    {"ERR max number of clients",
     "maxclients in its redis.conf; a manager holds 2 connections (3 with BLOCKING), a worker 1, a "
     "job 1 once it uses Redis"},
    {"ERR Protocol error: invalid bulk length", too_long},
    {"ERR max request size exceeded", too_long},
    {"ERR Protocol error: unauthenticated", who},
    {"Name or service not known", name},
    {"No address associated with hostname", name},
    {"Temporary failure in name resolution", name},
    {"Broken pipe", closed},
    {"Connection reset by peer", closed},
    {"Server closed the connection", closed},
    {"LOADING ", "it reads its data, and serves when that is done"},
    {"BUSY ", "a script runs in it: `redis-cli SCRIPT KILL` ends one that has not written yet"},
    {"MASTERDOWN ", "a replica that has lost its master: REDIS_BACKEND or --redis should name the "
                    "master"},
    {"READONLY ", "a replica: REDIS_BACKEND or --redis should name the master"},
    {"MISCONF ", "Redis cannot save: its log says why; is its disk full?"},
    {"OOM ", "Redis is full: maxmemory in its redis.conf; `resque-lua doctor` looks at it"},
    {"NOREPLICAS ", "min-replicas-to-write in its redis.conf: too few replicas are there"},
    {"MOVED ", "redirects are not followed: REDIS_BACKEND or --redis should name the node that has "
               "the keys"},
    {"NOPERM ", "resque-lua(1) lists, under REDIS USER, what a Redis user must be allowed to do"},
    {"NOAUTH ", who},
    {"WRONGPASS ", who},
    {"ERR invalid password", who},
    {"ERR Client sent AUTH, but no password is set", no_password},
    {"ERR AUTH <password> called without any password", no_password},
    {"DENIED ", "protected-mode: give Redis a password (requirepass), and name it here"},
    {"ERR DB index is out of range", databases},
    {"ERR invalid DB index", databases},
};

static const char *const of_kind[] = {
    [REDIS_FINE] = NULL,
    [REDIS_UNREACHABLE] = where,
    [REDIS_CUT] = closed,
    [REDIS_REFUSED] = "it is there, and will not serve us: its log may say why",
    [REDIS_DENIED] = who,
    [REDIS_NOT_REDIS] = "does another service listen there? REDIS_BACKEND or --redis says where",
};

/* Whether the sentence stands in the error, at its beginning or behind "…: ". */
static bool says(const char *error, const char *sentence)
{
    for (const char *at = error; (at = strstr(at, sentence)); at++)
        if (at == error || (at - error >= 2 && at[-2] == ':' && at[-1] == ' '))
            return true;
    return false;
}

static const char *known_hint(const char *error)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (says(error, known[i].sentence))
            return known[i].hint;
    return NULL;
}

bool redis_says_too_long(const char *error)
{
    return known_hint(error) == too_long;
}

const char *redis_hint(enum redis_trouble trouble, const char *error)
{
    const char *hint = known_hint(error);
    return hint ? hint : of_kind[trouble];
}
