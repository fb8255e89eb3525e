/* refuse_call.h - a seccomp filter that refuses one system call, as those of containers do. For a C
 * test, and for refuse_call.c. */
#ifndef REFUSE_CALL_H
#define REFUSE_CALL_H

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define ANY_ARGUMENT (-1L)

/* By the names that src/os/kernel.c gives them; `first` is the first argument that is meant. */
static const struct refused_call {
    const char *name;
    int number;
    long first;
} refusable[] = {
    {"pidfd_open", SYS_pidfd_open, ANY_ARGUMENT},
    {"signalfd4", SYS_signalfd4, ANY_ARGUMENT},
    {"pipe2", SYS_pipe2, ANY_ARGUMENT},
    {"getrandom", SYS_getrandom, ANY_ARGUMENT},
    {"waitid", SYS_waitid, ANY_ARGUMENT},
    {"prctl(PR_SET_CHILD_SUBREAPER)", SYS_prctl, PR_SET_CHILD_SUBREAPER},
    {"prctl(PR_SET_PDEATHSIG)", SYS_prctl, PR_SET_PDEATHSIG},
    {"seccomp", SYS_seccomp, ANY_ARGUMENT}, /* for SANDBOX=strict, which os/seccomp.c tries */
};

static inline int refuse(const struct refused_call *call, int error)
{
    unsigned skip = call->first == ANY_ARGUMENT ? 2 : 0;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call->number, 0, 4),
        BPF_JUMP(BPF_JMP | BPF_JA, skip, 0, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call->first, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* NULL: no such name. */
static inline const struct refused_call *find_refusable(const char *name)
{
    for (size_t i = 0; i < sizeof refusable / sizeof *refusable; i++)
        if (strcmp(refusable[i].name, name) == 0)
            return &refusable[i];
    return NULL;
}

#endif
