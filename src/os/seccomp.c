/* seccomp.c - see seccomp.h. What is not listed is allowed: C modules that somebody lets scripts
 * use need more than we can know. What is listed reaches other processes, makes new ones, changes
 * files or the system, or is a part of the kernel that has been broken into time and again. */
#include "os/seccomp.h"

#include <errno.h>
#include <stdlib.h>

/* The lists are those of 64-bit machines: others have more calls for the same things. */
#if __SIZEOF_LONG__ < 8
#undef RL_SECCOMP
#endif

#ifdef RL_SECCOMP
#include <asm/sockios.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"

/* Of libseccomp's two orders of the calls: a search tree. Putting the filter on takes half of the
 * time, as the kernel tries every call on it. */
#define BY_TREE 2

/* What Linux 5.3 can, and more than is used here: libseccomp need not try the kernel out. */
#define KNOWN_API 5

#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)

#define HEAD_MOST 8 /* instructions that put_head adds at most */

/* Stands for the process's own id until that is known. */
#define OWN_PID UINT64_C(0x3e57c0de)

/* The first system call newer than the lists below: it and all after it are answered with ENOSYS.
 */
#if defined(__x86_64__) || defined(__aarch64__) || defined(__riscv) || defined(__powerpc64__) ||   \
    defined(__s390x__)
#define NEWEST_CALL 450
#endif

/* Refused with EPERM, whatever their arguments are. */
static const int refused[] = {
    /* other programs, other processes */
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(setpgid),
    SCMP_SYS(setsid), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise), SCMP_SYS(process_mrelease), SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pidfd_send_signal), SCMP_SYS(kcmp), SCMP_SYS(ioprio_set), SCMP_SYS(migrate_pages),
    SCMP_SYS(move_pages),
    /* what processes share */
    SCMP_SYS(shmget), SCMP_SYS(shmat), SCMP_SYS(shmctl), SCMP_SYS(msgget), SCMP_SYS(msgsnd),
    SCMP_SYS(msgrcv), SCMP_SYS(msgctl), SCMP_SYS(semget), SCMP_SYS(semop), SCMP_SYS(semtimedop),
    SCMP_SYS(semctl), SCMP_SYS(mq_open), SCMP_SYS(mq_unlink), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(keyctl),
    /* files and folders; opening for writing is below */
    SCMP_SYS(creat), SCMP_SYS(truncate), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(unlink),
    SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link),
    SCMP_SYS(linkat), SCMP_SYS(symlink), SCMP_SYS(symlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir), SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(chmod), SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchown), SCMP_SYS(fchownat),
    SCMP_SYS(utime), SCMP_SYS(utimes), SCMP_SYS(utimensat), SCMP_SYS(futimesat), SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr), SCMP_SYS(fsetxattr), SCMP_SYS(removexattr), SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr), SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at),
    SCMP_SYS(fanotify_init), SCMP_SYS(quotactl), SCMP_SYS(quotactl_fd),
    /* being a server */
    SCMP_SYS(bind), SCMP_SYS(listen),
    /* namespaces and mounts */
    SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(chroot), SCMP_SYS(pivot_root), SCMP_SYS(mount),
    SCMP_SYS(umount2), SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig), SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr),
    SCMP_SYS(swapon), SCMP_SYS(swapoff),
    /* the machine */
    SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(acct), SCMP_SYS(syslog),
    SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(vhangup), SCMP_SYS(iopl),
    SCMP_SYS(ioperm), SCMP_SYS(modify_ldt), SCMP_SYS(personality),
    /* wide doors into the kernel */
    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter), SCMP_SYS(io_uring_register)};

/* Refused for some values of one argument. */
static const struct {
    int call;
    struct scmp_arg_cmp when;
} refused_when[] = {
#define CASE(name, ...)                                                                            \
    {                                                                                              \
        SCMP_SYS(name),                                                                            \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }
#define BIT(value) SCMP_CMP_MASKED_EQ, value, value
#define INT 0xffffffff /* what the kernel looks at */
#ifdef __s390x__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
    CASE(clone, CLONE_FLAGS, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0),
    /* signals and priorities of others */
    CASE(kill, 0, SCMP_CMP_NE, OWN_PID, 0), CASE(tkill, 0, SCMP_CMP_NE, OWN_PID, 0),
    CASE(tgkill, 0, SCMP_CMP_NE, OWN_PID, 0), CASE(rt_sigqueueinfo, 0, SCMP_CMP_NE, OWN_PID, 0),
    CASE(rt_tgsigqueueinfo, 0, SCMP_CMP_NE, OWN_PID, 0), CASE(prlimit64, 0, SCMP_CMP_NE, 0, 0),
    CASE(setpriority, 0, SCMP_CMP_NE, PRIO_PROCESS, 0), CASE(setpriority, 1, SCMP_CMP_NE, 0, 0),
    CASE(sched_setaffinity, 0, SCMP_CMP_NE, 0, 0), CASE(sched_setscheduler, 0, SCMP_CMP_NE, 0, 0),
    CASE(sched_setparam, 0, SCMP_CMP_NE, 0, 0), CASE(sched_setattr, 0, SCMP_CMP_NE, 0, 0),
    /* having the kernel send a signal to another process when there is something to read */
    CASE(fcntl, 1, SCMP_CMP_MASKED_EQ, INT, F_SETOWN),
    CASE(fcntl, 1, SCMP_CMP_MASKED_EQ, INT, F_SETOWN_EX),
    CASE(ioctl, 1, SCMP_CMP_MASKED_EQ, INT, FIOSETOWN),
    CASE(ioctl, 1, SCMP_CMP_MASKED_EQ, INT, SIOCSPGRP),
    /* attributes of files that are open for reading */
    CASE(ioctl, 1, SCMP_CMP_MASKED_EQ, INT, FS_IOC_SETFLAGS),
    CASE(ioctl, 1, SCMP_CMP_MASKED_EQ, INT, FS_IOC_FSSETXATTR),
    /* opening files to change them */
    CASE(open, 1, BIT(O_WRONLY)), CASE(open, 1, BIT(O_RDWR)), CASE(open, 1, BIT(O_CREAT)),
    CASE(open, 1, BIT(O_TRUNC)), CASE(open, 1, BIT(TMPFILE_BIT)), CASE(openat, 2, BIT(O_WRONLY)),
    CASE(openat, 2, BIT(O_RDWR)), CASE(openat, 2, BIT(O_CREAT)), CASE(openat, 2, BIT(O_TRUNC)),
    CASE(openat, 2, BIT(TMPFILE_BIT)),
    /* families between and beyond AF_UNIX, AF_INET and AF_INET6 */
    CASE(socket, 0, SCMP_CMP_EQ, AF_UNSPEC, 0), CASE(socket, 0, SCMP_CMP_EQ, 3, 0),
    CASE(socket, 0, SCMP_CMP_EQ, 4, 0), CASE(socket, 0, SCMP_CMP_EQ, 5, 0),
    CASE(socket, 0, SCMP_CMP_EQ, 6, 0), CASE(socket, 0, SCMP_CMP_EQ, 7, 0),
    CASE(socket, 0, SCMP_CMP_EQ, 8, 0), CASE(socket, 0, SCMP_CMP_EQ, 9, 0),
    CASE(socket, 0, SCMP_CMP_GT, AF_INET6, 0),
    /* typing into the worker's terminal */
    CASE(ioctl, 1, SCMP_CMP_MASKED_EQ, INT, TIOCSTI),
    CASE(ioctl, 1, SCMP_CMP_MASKED_EQ, INT, TIOCLINUX)};

/* Calls whose arguments lie in memory, where a filter cannot look. They are answered with ENOSYS,
 * and libc goes on without them. */
static const int missing_calls[] = {SCMP_SYS(clone3), SCMP_SYS(openat2)};

/* --- making it --- */

static int add_rules(scmp_filter_ctx ctx)
{
    int error = 0;
    for (size_t i = 0; i < sizeof refused / sizeof *refused && !error; i++)
        if (refused[i] >= 0) /* else this machine does not have it */
            error = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
    for (size_t i = 0; i < sizeof missing_calls / sizeof *missing_calls && !error; i++)
        error = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), missing_calls[i], 0);
    for (size_t i = 0; i < sizeof refused_when / sizeof *refused_when && !error; i++)
        if (refused_when[i].call >= 0)
            error = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), refused_when[i].call, 1,
                                           &refused_when[i].when);
    return error;
}

/* Writes the instructions that stand before libseccomp's. */
static size_t put_head(struct sock_filter *code)
{
#ifdef NEWEST_CALL
    const struct sock_filter head[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, NEWEST_CALL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS)};
    memcpy(code, head, sizeof head);
    return sizeof head / sizeof *head;
#else
    (void)code;
    return 0;
#endif
}

/* Makes the filter in a process that ends. In this one, every job's process would inherit the
 * memory that libseccomp took and gave back, and copy pages of it for its own use (8 page faults a
 * job, measured). */
static _Noreturn void make_in_child(int fd)
{
    seccomp_api_set(KNOWN_API);
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    bool made = ctx && seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, BY_TREE) == 0 &&
                add_rules(ctx) == 0 && seccomp_export_bpf(ctx, fd) == 0;
    seccomp_release(ctx);
    _exit(made ? 0 : ENOMEM);
}

/* The exit code of a process that has done its work is an errno. */
static int wait_for(pid_t pid)
{
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && status)
        errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
    return pid > 0 && !status ? 0 : -1;
}

static int make_in_file(int fd)
{
    pid_t pid = fork();
    if (pid == 0)
        make_in_child(fd);
    return wait_for(pid);
}

static int take_code(struct seccomp_filter *f, int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -1;
    size_t size = (size_t)st.st_size;
    f->code = memory_get(size + HEAD_MOST * sizeof *f->code);
    f->length = put_head(f->code);
    if (pread(fd, f->code + f->length, size, 0) != st.st_size)
        return -1;
    f->length += size / sizeof *f->code;
    return 0;
}

/* Whether the kernel accepts the filter. */
static int try_on(struct seccomp_filter *f)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || seccomp_filter_enter(f) < 0 ? errno
                                                                                        : 0);
    return wait_for(pid);
}

bool seccomp_filter_is_built(void)
{
    return true;
}

int seccomp_filter_make(struct seccomp_filter *f)
{
    *f = (struct seccomp_filter){0};
    if (prctl(PR_GET_SECCOMP) < 0) {
        f->missing = "this kernel has none";
        return 0;
    }
    int fd = memfd_create("filter", MFD_CLOEXEC);
    bool made = fd >= 0 && make_in_file(fd) == 0 && take_code(f, fd) == 0 && try_on(f) == 0;
    int error = errno ? errno : EIO;
    if (fd >= 0)
        close(fd);
    if (made)
        return 0;
    seccomp_filter_free(f);
    *f = (struct seccomp_filter){.missing = "no seccomp filter can be put on", .error = error};
    errno = error;
    return -1;
}

/* --- putting it on --- */

static void name_own_pid(struct seccomp_filter *f)
{
    for (size_t i = 0; i < f->length; i++)
        if (f->code[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && f->code[i].k == OWN_PID)
            f->code[i].k = (unsigned)getpid();
}

int seccomp_filter_enter(struct seccomp_filter *f)
{
    errno = f->error;
    if (!f->code)
        return f->error ? -1 : 0;
    name_own_pid(f);
    const struct sock_fprog program = {(unsigned short)f->length, f->code};
    long thread =
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (thread > 0) /* it has a filter of its own, so this cannot be put before it */
        errno = EBUSY;
    return thread == 0 ? 0 : -1;
}

#else

bool seccomp_filter_is_built(void)
{
    return false;
}

int seccomp_filter_make(struct seccomp_filter *f)
{
    *f = (struct seccomp_filter){.missing = "built without libseccomp, or for 32 bits"};
    return 0;
}

int seccomp_filter_enter(struct seccomp_filter *f)
{
    (void)f;
    return 0;
}

#endif

void seccomp_filter_free(struct seccomp_filter *f)
{
    free(f->code);
    *f = (struct seccomp_filter){0};
}
