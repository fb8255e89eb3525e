/* identity.h - which process of which machine this is: what makes a death provable.
 *
 * A pid alone proves nothing: it is used again, and a container counts its own. Boot id, pid
 * namespace, pid and start time together name one process for ever. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>

struct identity {
    /* "" where /proc does not tell: no death can be proved then. */
    char boot[40];      /* /proc/sys/kernel/random/boot_id */
    char namespace[48]; /* inodes of /proc/self/ns/pid and time */
    char pid[16];       /* known always */
    char start[24];     /* clock ticks since boot, /proc/self/stat field 22 */
};

/* Fills in this process's own. NULL; the file that could not be read, with errno. */
const char *identity_own(struct identity *id);

/* Whether `other` is a process of this boot and namespace that has provably ended: its pid is not
 * there any more, or /proc shows another process with that number, or an orphaned zombie. A process
 * that is hidden or may not be looked at counts as alive, and so does one with the pid of an older
 * release's worker, which tells no time namespace to compare start times in. */
bool identity_is_dead(const struct identity *other);

#endif
