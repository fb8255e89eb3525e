/* cut_report.c - preloaded into resque-lua, ends a job's process in the middle of its last report
 * (a frame D, F or X to a pipe, see src/job/report.h). The file CUT_REPORT says where and how: "17
 * exit" or "17 kill" after 17 bytes; more bytes than there are: after all of them. Then it holds
 * how many bytes the report had. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEADER 5

/* Where to end, or -1. */
static long cut_at(char how[8])
{
    long at = -1;
    const char *path = getenv("CUT_REPORT");
    FILE *file = path ? fopen(path, "re") : NULL;
    if (file && fscanf(file, "%ld %7s", &at, how) != 2)
        at = -1;
    if (file)
        fclose(file);
    return at;
}

static void tell(size_t len)
{
    FILE *file = fopen(getenv("CUT_REPORT"), "we");
    if (file) {
        fprintf(file, "%zu", len);
        fclose(file);
    }
}

static int is_end_of_report(int fd, const unsigned char *bytes, size_t len)
{
    struct stat seen;
    return len >= HEADER && strchr("DFX", bytes[0]) && fstat(fd, &seen) == 0 &&
           S_ISFIFO(seen.st_mode);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    char how[8] = "";
    long at = is_end_of_report(fd, bytes, len) ? cut_at(how) : -1;
    if (at < 0)
        return syscall(SYS_write, fd, bytes, len);
    tell(len);
    syscall(SYS_write, fd, bytes, (size_t)at < len ? (size_t)at : len);
    if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
    _exit(0);
}
