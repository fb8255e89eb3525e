/* auth.h - AUTH: tells the server who we are, and judges its answer. Part of redis.c's
 * handshake. */
#ifndef REDIS_AUTH_H
#define REDIS_AUTH_H

#include "redis/redis.h"

struct redis_auth {
    const char *remark; /* a literal; NULL: nothing to remark, see redis_remark */
    bool denied;        /* an operator must act */
    char error[256];    /* what the server said, without the password */
};

/* Sends AUTH if the address has a password. 0, or -1 and `said`. */
int redis_auth(struct redis *r, const struct address *a, int64_t deadline, struct redis_auth *said);

/* Whether an error reply says that we may not: NOAUTH, WRONGPASS, NOPERM and their like. */
bool redis_auth_denies(const struct redis_reply *reply);

#endif
