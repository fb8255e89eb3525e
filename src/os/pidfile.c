/* pidfile.c - the manager's PID file. Not for workers or jobs: they have records in Redis. */
#include "os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/descriptors.h"

enum {
    LARGEST = 64,   /* bytes of a file that may be a PID file */
    ATTEMPTS = 100, /* how often the file may be replaced between our open and our lock */
    HEIR_MS = 1000  /* how long a dead owner's processes may still hold the lock */
};

struct context {
    const char *path; /* as the user wrote it */
    char *err;
    size_t err_size;
};

/* Both return -1, for the caller to return. */
static int fail(const struct context *at, const char *why, const char *hint)
{
    snprintf(at->err, at->err_size, "PID file %s: %s\nhint: %s", at->path, why, hint);
    return -1;
}

static int fail_errno(const struct context *at, const char *call)
{
    char why[128];
    int error = errno;
    snprintf(why, sizeof why, "%s: %s", call, strerror(error));
    return fail(at, why,
                error == ENOENT ? "create its folder first"
                : error == EACCES
                    ? "choose a folder that this user may write to, or change its owner"
                : error == ENOSPC ? "make room on that file system"
                : error == ELOOP  ? "it is a symbolic link; name the file itself"
                                  : "choose another place with PIDFILE");
}

/* The process in the file; 0 if there is none: it may just be about to write it. */
static long read_pid(int fd)
{
    char text[LARGEST] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    char *end = text;
    long pid = n > 0 ? strtol(text, &end, 10) : 0;
    return pid > 0 && (*end == '\0' || *end == '\n') ? pid : 0;
}

static int fail_held(const struct context *at, int fd)
{
    char why[96] = "is held by another process";
    long pid = read_pid(fd);
    if (pid > 0)
        snprintf(why, sizeof why, "is held by process %ld, which is running", pid);
    return fail(at, why, "stop that one first, or give this one a PID file of its own");
}

/* 1: locked; 0: held; -1: errno. A manager that was killed may have forked just before: until the
 * new process lets go of what it inherited, the lock is held although nobody means it. */
static int lock(int fd)
{
    for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += 10) {
        if (errno != EWOULDBLOCK)
            return -1;
        long owner = read_pid(fd);
        bool owner_is_dead = owner > 0 && kill((pid_t)owner, 0) < 0 && errno == ESRCH;
        if (!owner_is_dead || waited >= HEIR_MS)
            return 0;
        usleep(10000);
    }
    return 1;
}

static bool is_same_file(int fd, const char *path)
{
    struct stat ours, theirs;
    return fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

/* Keeps a mistyped name from emptying a file of the user's. */
static int refuse_other_files(const struct context *at, int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return fail_errno(at, "cannot be looked at");
    if (!S_ISREG(info.st_mode) || info.st_size > LARGEST)
        return fail(at, "is something else than a PID file",
                    "name a file of its own, or remove this one");
    return 0;
}

/* Locks what was opened: 1; 0 when that is no longer the file of this name (its owner has just
 * removed it, and a lock on it says nothing); -1: `err` says why. */
static int lock_opened(const struct context *at, int fd)
{
    if (refuse_other_files(at, fd) < 0)
        return -1;
    int locked = lock(fd);
    if (locked < 0)
        return fail_errno(at, "cannot be locked");
    if (!is_same_file(fd, at->path))
        return 0;
    return locked > 0 ? 1 : fail_held(at, fd);
}

/* The descriptor of the file, created and locked, or -1. */
static int open_locked(const struct context *at)
{
    for (int i = 0; i < ATTEMPTS; i++) {
        int fd = open(at->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644);
        if (fd < 0)
            return fail_errno(at, "cannot be opened");
        int locked = lock_opened(at, fd);
        if (locked > 0)
            return fd;
        close(fd);
        if (locked < 0)
            return -1;
    }
    return fail(at, "is replaced again and again", "something else uses this name; choose another");
}

/* First the number, then the new length: who reads in between finds the number on the first line.
 */
static int write_pid(const struct context *at, int fd)
{
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    ssize_t n = pwrite(fd, text, (size_t)len, 0);
    if (n >= 0 && n < len)
        errno =
            ENOSPC; /* what a short write to a file means; asking again would only say it aloud */
    if (n < len || ftruncate(fd, len) != 0)
        return fail_errno(at, "cannot be written");
    return 0;
}

int pidfile_open(struct pidfile *p, const char *path, char *err, size_t err_size)
{
    struct context at = {.path = path, .err = err, .err_size = err_size};
    *p = (struct pidfile){.fd = open_locked(&at)};
    if (p->fd < 0)
        return -1;
    if (write_pid(&at, p->fd) == 0) {
        p->path = realpath(path, NULL); /* still right after a chdir */
        if (p->path) {
            descriptors_own(p->fd);
            return 0;
        }
        fail_errno(&at, "has no absolute path");
    }
    unlink(path);
    close(p->fd);
    p->fd = -1;
    return -1;
}

void pidfile_close(struct pidfile *p)
{
    if (!p->path)
        return;
    if (is_same_file(p->fd, p->path))
        unlink(p->path);
    descriptors_close(p->fd);
    free(p->path);
    *p = (struct pidfile){.fd = -1};
}
