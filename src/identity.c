/* identity.c - see identity.h. */
#include "identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Field 22; field 2 is the program's name in brackets and may hold anything, so counting starts
 * after it. A process that has ended and waits for an init that reaps late is not there any more.
 * One that waits for another parent still counts as there: that parent, its manager, asks soon and
 * then knows more than that it is dead (whether its job had begun). */
static int read_start(pid_t pid, char out[24])
{
    char path[32], line[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (read_line(path, line, sizeof line) < 0)
        return -1;
    char *at = strrchr(line, ')');
    bool ended = at && strlen(at) > 4 && (at[2] == 'Z' || at[2] == 'X');
    if (ended && atoi(at + 4) <= 1 && getpid() != 1)
        return -1;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at)
        return -1;
    snprintf(out, 24, "%llu", strtoull(at, NULL, 10));
    return 0;
}

int identity_of(struct identity *id, pid_t pid)
{
    struct stat ns;
    if (pid == 0)
        pid = getpid();
    if (read_line("/proc/sys/kernel/random/boot_id", id->boot, sizeof id->boot) < 0 ||
        stat("/proc/self/ns/pid", &ns) < 0 || read_start(pid, id->start) < 0)
        return -1;
    snprintf(id->namespace, sizeof id->namespace, "%llu", (unsigned long long)ns.st_ino);
    snprintf(id->pid, sizeof id->pid, "%d", (int)pid);
    return 0;
}

bool identity_is_dead(const struct identity *other)
{
    struct identity now, here;
    if (identity_of(&here, 0) < 0 || strcmp(here.boot, other->boot) != 0 ||
        strcmp(here.namespace, other->namespace) != 0 || atoi(other->pid) <= 0)
        return false;
    return identity_of(&now, atoi(other->pid)) < 0 || strcmp(now.start, other->start) != 0;
}

void identity_text(const struct identity *id, char out[IDENTITY_TEXT_SIZE])
{
    snprintf(out, IDENTITY_TEXT_SIZE, "%s %s %s %s", id->boot, id->namespace, id->pid, id->start);
}
