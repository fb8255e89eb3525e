/* reply.c - what a reply holds: struct redis_reply is hiredis's redisReply under a name of
 * ours. See redis.h. */
#include <hiredis.h>
#include <string.h>

#include "redis/redis.h"

static const redisReply *raw(const struct redis_reply *reply)
{
    return (const redisReply *)reply;
}

enum redis_type redis_reply_type(const struct redis_reply *reply)
{
    switch (raw(reply)->type) {
    case REDIS_REPLY_STRING:
        return REDIS_STRING;
    case REDIS_REPLY_STATUS:
        return REDIS_STATUS;
    case REDIS_REPLY_INTEGER:
        return REDIS_INTEGER;
    case REDIS_REPLY_ARRAY:
        return REDIS_ARRAY;
    case REDIS_REPLY_ERROR:
        return REDIS_ERROR;
    default:
        return REDIS_NIL;
    }
}

const char *redis_reply_text(const struct redis_reply *reply, size_t *len)
{
    enum redis_type type = redis_reply_type(reply);
    bool text = type == REDIS_STRING || type == REDIS_STATUS || type == REDIS_ERROR;
    if (len)
        *len = text ? (size_t)raw(reply)->len : 0;
    return text ? raw(reply)->str : "";
}

long long redis_reply_integer(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_INTEGER ? raw(reply)->integer : 0;
}

size_t redis_reply_count(const struct redis_reply *reply)
{
    return redis_reply_type(reply) == REDIS_ARRAY ? raw(reply)->elements : 0;
}

const struct redis_reply *redis_reply_at(const struct redis_reply *reply, size_t index)
{
    static const redisReply nil = {.type = REDIS_REPLY_NIL};
    const redisReply *element =
        index < redis_reply_count(reply) ? raw(reply)->element[index] : &nil;
    return (const struct redis_reply *)element;
}

void redis_reply_free(struct redis_reply *reply)
{
    if (reply)
        freeReplyObject(reply);
}

bool redis_reply_is_error(const struct redis_reply *reply, const char *code)
{
    return redis_reply_type(reply) == REDIS_ERROR &&
           strncmp(raw(reply)->str, code, strlen(code)) == 0;
}

bool redis_reply_is_one_of(const struct redis_reply *reply, const char *const *codes)
{
    for (; *codes; codes++)
        if (redis_reply_is_error(reply, *codes))
            return true;
    return false;
}
