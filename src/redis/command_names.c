/* command_names.c - see command_names.h. */
#include "redis/command_names.h"

#include <stddef.h>
#include <strings.h>

#include "base/plain.h"

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcasecmp_l(name, *list, plain_locale()) == 0)
            return true;
    return false;
}

bool redis_name_is_refused(const char *name)
{
    static const char *const names[] = {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR",
                                        "SELECT",    "HELLO",      "RESET",      "SYNC",
                                        "PSYNC",     NULL};
    return is_one_of(name, names);
}

bool redis_name_is_blocking(const char *name)
{
    static const char *const names[] = {"BLPOP",      "BRPOP",      "BLMOVE", "BLMPOP",  "BZPOPMIN",
                                        "BZPOPMAX",   "BZMPOP",     "WAIT",   "WAITAOF", "XREAD",
                                        "XREADGROUP", "BRPOPLPUSH", NULL};
    return is_one_of(name, names);
}

void redis_name_in_transaction(const char *name, bool *inside)
{
    static const char *const begin[] = {"MULTI", "WATCH", NULL};
    static const char *const end[] = {"EXEC", "DISCARD", "UNWATCH", NULL};
    if (is_one_of(name, begin))
        *inside = true;
    else if (is_one_of(name, end))
        *inside = false;
}
