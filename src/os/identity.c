/* identity.c - see identity.h. */
#include "os/identity.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/procfs.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define OWN_NAMESPACE "/proc/self/ns/pid"
#define OWN_STAT "/proc/self/stat"

/* --- what /proc tells --- */

static int read_line(const char *path, char *out, int size)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    bool got = fgets(out, size, file) != NULL;
    fclose(file);
    out[got ? strcspn(out, "\n") : 0] = '\0';
    return got ? 0 : -1;
}

struct process_stat {
    char state;
    int parent;
    char start[24];
};

/* Field 2 is the program's name in brackets and may hold anything, so counting starts after it. */
static int read_stat(const char *path, struct process_stat *out)
{
    char line[1024];
    if (read_line(path, line, sizeof line) < 0)
        return -1;
    char *at = strrchr(line, ')');
    errno = EINVAL;
    if (!at || sscanf(at + 1, " %c %d", &out->state, &out->parent) != 2)
        return -1;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return -1;
    snprintf(out->start, sizeof out->start, "%llu", strtoull(at, NULL, 10));
    return 0;
}

/* Start times are counted from another zero in another time namespace; a kernel without these has
 * one zero. */
static int read_namespace(char *out, size_t size)
{
    struct stat pids, time = {0};
    if (stat(OWN_NAMESPACE, &pids) < 0)
        return -1;
    if (stat("/proc/self/ns/time", &time) < 0)
        time.st_ino = 0;
    snprintf(out, size, "%llu-%llu", (unsigned long long)pids.st_ino,
             (unsigned long long)time.st_ino);
    return 0;
}

/* --- who is who --- */

/* Returns the first file that could not be read, with errno; NULL: all were. */
static const char *read_all(struct identity *id)
{
    struct process_stat own;
    if (read_stat(OWN_STAT, &own) < 0)
        return OWN_STAT;
    if (read_namespace(id->namespace, sizeof id->namespace) < 0)
        return OWN_NAMESPACE;
    if (read_line(BOOT_ID, id->boot, sizeof id->boot) < 0)
        return BOOT_ID;
    snprintf(id->start, sizeof id->start, "%s", own.start);
    return NULL;
}

const char *identity_own(struct identity *id)
{
    *id = (struct identity){0};
    const char *missing = read_all(id);
    if (missing) /* some of it proves nothing */
        *id = (struct identity){0};
    snprintf(id->pid, sizeof id->pid, "%d", (int)getpid());
    return missing;
}

/* Whether a zombie waits for an init that reaps late: it counts as gone. A zombie of another parent
 * still counts as there: that parent, its manager, reaps it soon, and knows more than that it is
 * dead (whether its job had begun). */
static bool is_left_to_init(const struct process_stat *process)
{
    return (process->state == 'Z' || process->state == 'X') && process->parent <= 1 &&
           getpid() != 1;
}

/* Whether /proc proves the death. A file that cannot be read proves nothing: it may be hidden
 * (hidepid), or another user's. `start` NULL: another process with that number proves nothing. */
static bool is_seen_dead(pid_t pid, const char *start)
{
    struct process_stat now;
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    return procfs_is_ours() && read_stat(path, &now) == 0 &&
           (is_left_to_init(&now) || (start && strcmp(now.start, start) != 0));
}

/* Whether `other` is of an older release, which tells its pid namespace alone, and of ours. Its
 * start time may count from another zero. */
static bool tells_pids_alone(const struct identity *other, const struct identity *here)
{
    size_t len = strcspn(here->namespace, "-");
    return strlen(other->namespace) == len && memcmp(other->namespace, here->namespace, len) == 0;
}

bool identity_is_dead(const struct identity *other)
{
    struct identity here;
    pid_t pid = atoi(other->pid);
    if (pid <= 0 || !other->start[0] || identity_own(&here) || strcmp(here.boot, other->boot) != 0)
        return false;
    bool same = strcmp(here.namespace, other->namespace) == 0;
    if (!same && !tells_pids_alone(other, &here))
        return false;
    return (kill(pid, 0) < 0 && errno == ESRCH) || is_seen_dead(pid, same ? other->start : NULL);
}
