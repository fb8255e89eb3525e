/* corefile.c - see corefile.h. A limit, and not PR_SET_DUMPABLE: with that the files of the process
 * in /proc become root's, where neither ps nor a debugger of its own user finds it any more. */
#include "os/corefile.h"

/* Bytes. 0 stops files alone: a kernel that hands core files to a program (systemd-coredump) does
 * so whatever the limit is, but for 1. */
#define NONE_AT_ALL 1

void corefile_forbid(struct corefile *c)
{
    if (getrlimit(RLIMIT_CORE, &c->given) < 0)
        return;
    const struct rlimit none = {.rlim_cur = NONE_AT_ALL, .rlim_max = c->given.rlim_max};
    c->changed = setrlimit(RLIMIT_CORE, &none) == 0; /* not if nobody may have more than 0 */
}

void corefile_allow(const struct corefile *c)
{
    if (c->changed)
        setrlimit(RLIMIT_CORE, &c->given);
}
