/* identity.h - which process of which machine this is: what makes a death provable.
 *
 * A pid alone proves nothing: it is used again, and a container counts its own. Boot id, pid
 * namespace, pid and start time together name one process for ever. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct identity {
    char boot[40];      /* /proc/sys/kernel/random/boot_id */
    char namespace[32]; /* inode of /proc/self/ns/pid */
    char pid[16];
    char start[24]; /* clock ticks since boot, /proc/<pid>/stat field 22 */
};

/* Of process `pid` (0: this one) in our namespace. 0, or -1 if it does not exist (or /proc is not
 * there). */
int identity_of(struct identity *id, pid_t pid);

/* True if `other` names a process of this boot and namespace that has ended. */
bool identity_is_dead(const struct identity *other);

/* "boot namespace pid start", as prune.lua compares it. */
#define IDENTITY_TEXT_SIZE 120
void identity_text(const struct identity *id, char out[IDENTITY_TEXT_SIZE]);

#endif
