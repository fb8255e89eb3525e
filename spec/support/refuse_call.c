/* refuse_call.c - preloaded into a program, puts a filter on it that refuses the call named by
 * REFUSE_CALL: "pidfd_open EPERM", "pipe2 ENOSYS". */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "refuse_call.h"

__attribute__((constructor)) static void put_on(void)
{
    char name[64], error[16];
    const char *what = getenv("REFUSE_CALL");
    const struct refused_call *call = NULL;
    if (what && sscanf(what, "%63s %15s", name, error) == 2)
        call = find_refusable(name);
    if (!call || refuse(call, strcmp(error, "EPERM") == 0 ? EPERM : ENOSYS) < 0) {
        perror("REFUSE_CALL");
        exit(99);
    }
}
