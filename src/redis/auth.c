/* auth.c - see auth.h. */
#include "redis/auth.h"

#include <stdio.h>
#include <string.h>

/* The answers to AUTH of a server that has no password, of Redis 6 and later and of older ones. */
static const char *const needs_none[] = {"ERR AUTH <password> called without",
                                         "ERR Client sent AUTH", NULL};

bool redis_auth_denies(const struct redis_reply *reply)
{
    static const char *const codes[] = {
        "NOAUTH",   "WRONGPASS",          "NOPERM", "ERR invalid password", "ERR Client sent AUTH",
        "ERR AUTH", "ERR Authentication", NULL};
    return redis_reply_is_one_of(reply, codes);
}

/* Ends the text where it repeats the password. A server that does not know AUTH (renamed, or a
 * proxy) quotes the arguments, cut off anywhere. */
static void hide_password(char *text, const char *password)
{
    enum { TELLING = 4 }; /* bytes of a password that say enough of it */
    static const char arguments[] = ", with args";
    size_t len = strnlen(password, TELLING);
    char *at = strstr(text, arguments);
    if (at)
        *at = '\0';
    for (at = text; *at; at++)
        if (strncmp(at, password, len) == 0) {
            *at = '\0';
            return;
        }
}

/* Frees the reply. 0, or -1 and `said`. */
static int judge(struct redis_reply *reply, const char *password, struct redis_auth *said)
{
    if (!reply)
        return -1;
    int result = redis_reply_type(reply) == REDIS_ERROR ? -1 : 0;
    if (result < 0) {
        said->denied = redis_auth_denies(reply);
        snprintf(said->error, sizeof said->error, "%s", redis_reply_text(reply, NULL));
        if (!said->denied) /* those are sentences that repeat nothing */
            hide_password(said->error, password);
    }
    redis_reply_free(reply);
    return result;
}

/* Sends the password alone. If the address gave it in the place of a user and the server has no
 * password, that is no error: a user without a password is fine there. */
static int send_password(struct redis *r, const struct address *a, int64_t deadline,
                         struct redis_auth *said)
{
    struct redis_reply *reply = redis_command(r, deadline, "AUTH", a->password);
    if (!reply || !a->password_alone || !redis_reply_is_one_of(reply, needs_none))
        return judge(reply, a->password, said);
    said->remark = "asks for no password; what stands in front of the @ is not used";
    redis_reply_free(reply);
    return 0;
}

/* AUTH user password; where that pair is refused, the password alone: php-resque ignores the user.
 */
static int send_pair(struct redis *r, const struct address *a, int64_t deadline,
                     struct redis_auth *said)
{
    struct redis_reply *pair = redis_command(r, deadline, "AUTH", a->user, a->password);
    if (!pair || redis_reply_type(pair) != REDIS_ERROR)
        return judge(pair, a->password, said);
    struct redis_reply *alone = redis_command(r, deadline, "AUTH", a->password);
    bool user_ignored = alone && redis_reply_type(alone) != REDIS_ERROR;
    if (user_ignored)
        said->remark = "takes the password, but not the user";
    if (alone && !user_ignored && redis_reply_is_error(pair, "WRONGPASS")) {
        redis_reply_free(alone); /* what the server says of the pair is what the person can mend */
        return judge(pair, a->password, said);
    }
    redis_reply_free(pair);
    return judge(alone, a->password, said);
}

int redis_auth(struct redis *r, const struct address *a, int64_t deadline, struct redis_auth *said)
{
    *said = (struct redis_auth){0};
    if (!a->password)
        return 0;
    return a->user ? send_pair(r, a, deadline, said) : send_password(r, a, deadline, said);
}
