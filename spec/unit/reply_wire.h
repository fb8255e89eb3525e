/* reply_wire.h - replies as hiredis reads them off the wire. Included behind cmocka.h. */
#ifndef REPLY_WIRE_H
#define REPLY_WIRE_H

#include <hiredis.h>
#include <stdio.h>
#include <string.h>

#include "redis/redis.h"

/* The reply in these bytes of the protocol, to be freed by redis_reply_free. */
static inline struct redis_reply *reply_of_wire(const char *wire)
{
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    assert_int_equal(redisReaderFeed(reader, wire, strlen(wire)), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    assert_non_null(reply);
    redisReaderFree(reader);
    return reply;
}

/* What the server sends for a script that answers with these two texts. */
static inline struct redis_reply *reply_of(const char *first, const char *second)
{
    char wire[1024];
    int len = snprintf(wire, sizeof wire, "*2\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(first),
                       first, strlen(second), second);
    assert_in_range(len, 0, sizeof wire - 1);
    return reply_of_wire(wire);
}

#endif
