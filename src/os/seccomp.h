/* seccomp.h - SANDBOX=strict in the kernel: a seccomp filter that refuses the system calls a job
 * has no use for. Made once by libseccomp, if this was built with it; put on by each job's process.
 */
#ifndef SECCOMP_H
#define SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

struct sock_filter;

struct seccomp_filter {
    struct sock_filter *code; /* owned; NULL: there is none */
    size_t length;            /* of code, in instructions */
    const char *missing;      /* why there is none, a literal; NULL: there is one */
    int error;                /* errno; not 0: nothing may run that relies on a filter */
};

/* Whether this was built with libseccomp. */
bool seccomp_filter_is_built(void);

/* Makes the filter, and tries it on in a process that ends. 0: it is made, or this program or
 * kernel can have none (`missing` says why). -1 with errno: making or trying it failed. */
int seccomp_filter_make(struct seccomp_filter *f);
void seccomp_filter_free(struct seccomp_filter *f);

/* Puts the filter on all threads of this process for good; the process may then send signals to
 * itself alone. Needs no_new_privs. Does nothing where there can be no filter. 0 or -1 with errno.
 */
int seccomp_filter_enter(struct seccomp_filter *f);

#endif
