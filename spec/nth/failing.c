/* failing.c - preloaded library (LD_PRELOAD) that makes the n-th call of one function fail, in one
 * kind of process of resque-lua. What fails, and where it did: failing.h and spec/nth/README.md.
 * Other programs that a job executes are left alone. */
#include "failing.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* sweep.lua reads this list from here: one row per function, in this order. */
static const char *const calls[] = {
    "fork",      "pipe2",     "read",        "write",    "poll",    "open64",  "malloc",
    "connect",   "prctl",     "signalfd",    "mmap64",   "dup2",    "waitpid", "waitid",
    "wait4",     "syscall",   "socket",      "fcntl64",  "setpgid", "fstat64", "getrandom",
    "kill",      "fopen64",   "sigprocmask", "pwrite64", "flock",   "dup",     "setrlimit64",
    "setgroups", "setresgid", "setresuid",
};

static struct failing *shared;
static enum failing_role role = ROLE_MANAGER;
static bool connected; /* to Redis: the processes a manager needs to start were before */
static bool busy;      /* reporting where it happened calls what is watched here */

static void *real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static bool is_resque(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *name = strrchr(path, '/');
    return name && strcmp(name, "/resque-lua") == 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("NTH_STATE");
    int fd =
        path && is_resque() ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *at =
        (void *)syscall(SYS_mmap, 0L, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0L);
    close(fd);
    if (at != MAP_FAILED)
        shared = at;
}

/* Who called, for `addr2line`: sweep.lua shows it when the run went wrong. */
static void tell_where(void)
{
    const char *path = getenv("NTH_WHERE");
    void *frames[32];
    busy = true;
    int fd =
        path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    if (fd >= 0) {
        backtrace_symbols_fd(frames, backtrace(frames, 32), fd);
        syscall(SYS_close, fd);
    }
    busy = false;
}

static int number_of(const char *name)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (strcmp(calls[i], name) == 0)
            return (int)i;
    abort();
}

/* Counts one call; true: it is to fail. */
static bool its_turn(const char *name)
{
    if (!shared || busy)
        return false;
    int call = number_of(name);
    int64_t n = atomic_fetch_add(&shared->count[role][call], 1) + 1;
    if (call != shared->call || role != shared->role || n < shared->first ||
        n >= shared->first + shared->times)
        return false;
    if (atomic_fetch_add(&shared->hits, 1) == 0)
        tell_where();
    return true;
}

/* True: fail with errno set. */
bool failing_now(const char *name);
bool failing_now(const char *name)
{
    int before = errno;
    bool fail = its_turn(name) && shared->mode == MODE_ERROR;
    errno = fail ? (int)shared->error : before;
    return fail;
}

/* Bytes that read or write may move; -1: none, errno is set. */
static ssize_t allowed(const char *name, size_t len)
{
    if (!its_turn(name))
        return (ssize_t)len;
    if (shared->mode == MODE_SHORT)
        return len > 1 ? 1 : (ssize_t)len;
    errno = (int)shared->error;
    return -1;
}

static void be_child(void)
{
    enum failing_role below = connected ? ROLE_WORKER : ROLE_CHECK;
    role = role == ROLE_MANAGER ? below : ROLE_CHILD;
    if (shared) {
        int64_t i = atomic_fetch_add(&shared->pid_count, 1);
        if (i < FAILING_PIDS)
            shared->pids[i] = getpid();
    }
    if (role == ROLE_CHILD)
        unsetenv("LD_PRELOAD"); /* the programs of a job start faster without */
}

pid_t fork(void)
{
    pid_t (*next)(void) = (pid_t(*)(void))real("fork");
    if (failing_now("fork"))
        return -1;
    pid_t pid = next();
    if (pid == 0)
        be_child();
    return pid;
}

ssize_t read(int fd, void *buffer, size_t len)
{
    ssize_t (*next)(int, void *, size_t) = (ssize_t(*)(int, void *, size_t))real("read");
    ssize_t most = allowed("read", len);
    return most < 0 ? -1 : next(fd, buffer, (size_t)most);
}

ssize_t write(int fd, const void *buffer, size_t len)
{
    ssize_t (*next)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))real("write");
    ssize_t most = allowed("write", len);
    return most < 0 ? -1 : next(fd, buffer, (size_t)most);
}

/* What newer releases of hiredis use. */
ssize_t recv(int fd, void *buffer, size_t len, int flags)
{
    ssize_t (*next)(int, void *, size_t, int) = (ssize_t(*)(int, void *, size_t, int))real("recv");
    ssize_t most = allowed("read", len);
    return most < 0 ? -1 : next(fd, buffer, (size_t)most, flags);
}

ssize_t send(int fd, const void *buffer, size_t len, int flags)
{
    ssize_t (*next)(int, const void *, size_t, int) =
        (ssize_t(*)(int, const void *, size_t, int))real("send");
    ssize_t most = allowed("write", len);
    return most < 0 ? -1 : next(fd, buffer, (size_t)most, flags);
}

/* A name that ends in 64 is the function as large-file builds call it, which a 64-bit system's
 * headers do by themselves with _FILE_OFFSET_BITS=64. */

/* `name` with the parameters and arguments of one function: fails or calls the next one of that
 * name. */
#define WATCH(type, name, parameters, arguments)                                                   \
    type name parameters                                                                           \
    {                                                                                              \
        type(*next) parameters = (type(*) parameters)real(#name);                                  \
        if (failing_now(#name))                                                                    \
            return (type)(-1);                                                                     \
        return next arguments;                                                                     \
    }

WATCH(int, pipe2, (int ends[2], int flags), (ends, flags))
WATCH(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
WATCH(int, socket, (int domain, int type, int protocol), (domain, type, protocol))
WATCH(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
WATCH(int, dup2, (int from, int to), (from, to))
WATCH(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))
WATCH(pid_t, wait4, (pid_t pid, int *status, int options, struct rusage *used),
      (pid, status, options, used))
WATCH(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options),
      (type, id, info, options))
WATCH(int, setpgid, (pid_t pid, pid_t group), (pid, group))
WATCH(int, fstat64, (int fd, struct stat64 *info), (fd, info))
WATCH(ssize_t, getrandom, (void *buffer, size_t len, unsigned flags), (buffer, len, flags))
WATCH(int, kill, (pid_t pid, int signo), (pid, signo))
WATCH(int, sigprocmask, (int how, const sigset_t *set, sigset_t *old), (how, set, old))
WATCH(ssize_t, pwrite64, (int fd, const void *buffer, size_t len, off64_t at),
      (fd, buffer, len, at))
WATCH(int, dup, (int fd), (fd))
WATCH(int, setgroups, (size_t count, const gid_t *groups), (count, groups))
WATCH(int, setresgid, (gid_t real_id, gid_t effective, gid_t saved), (real_id, effective, saved))
WATCH(int, setresuid, (uid_t real_id, uid_t effective, uid_t saved), (real_id, effective, saved))
WATCH(int, flock, (int fd, int operation), (fd, operation))

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
    int (*next)(int, const struct sockaddr *, socklen_t) =
        (int (*)(int, const struct sockaddr *, socklen_t))real("connect");
    connected = true;
    return failing_now("connect") ? -1 : next(fd, address, len);
}

void *mmap64(void *address, size_t len, int protection, int flags, int fd, off64_t offset)
{
    if (failing_now("mmap64"))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, len, protection, flags, fd, offset);
}

FILE *fopen64(const char *path, const char *mode)
{
    FILE *(*next)(const char *, const char *) =
        (FILE * (*)(const char *, const char *)) real("fopen64");
    return failing_now("fopen64") ? NULL : next(path, mode);
}

int open64(const char *path, int flags, ...)
{
    int (*next)(const char *, int, mode_t) = (int (*)(const char *, int, mode_t))real("open64");
    va_list list;
    va_start(list, flags);
    mode_t mode = va_arg(list, mode_t); /* whatever is there where none was given: not looked at */
    va_end(list);
    return failing_now("open64") ? -1 : next(path, flags, mode);
}

int prctl(int option, ...)
{
    int (*next)(int, ...) = (int (*)(int, ...))real("prctl");
    unsigned long more[4];
    va_list list;
    va_start(list, option);
    for (int i = 0; i < 4; i++)
        more[i] = va_arg(list, unsigned long);
    va_end(list);
    return failing_now("prctl") ? -1 : next(option, more[0], more[1], more[2], more[3]);
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
    int (*next)(int, const struct rlimit64 *) =
        (int (*)(int, const struct rlimit64 *))real("setrlimit64");
    return failing_now("setrlimit64") ? -1 : next((int)resource, limit);
}

int fcntl64(int fd, int command, ...)
{
    int (*next)(int, int, ...) = (int (*)(int, int, ...))real("fcntl64");
    va_list list;
    va_start(list, command);
    unsigned long argument = va_arg(list, unsigned long);
    va_end(list);
    return failing_now("fcntl64") ? -1 : next(fd, command, argument);
}

long syscall(long number, ...)
{
    long (*next)(long, ...) = (long (*)(long, ...))real("syscall");
    long more[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        more[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_pidfd_open && failing_now("syscall"))
        return -1;
    return next(number, more[0], more[1], more[2], more[3], more[4], more[5]);
}
