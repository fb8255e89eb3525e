/* identity.h - which process of which machine this is: what makes a death provable.
 *
 * A pid alone proves nothing: it is used again, and a container counts its own. Boot id, pid
 * namespace, pid and start time together name one process for ever. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>

struct identity {
    char boot[40];      /* /proc/sys/kernel/random/boot_id; "": nothing can be proven, */
    char namespace[48]; /* inodes of /proc/self/ns/pid and time; "" as well, */
    char pid[16];       /* known always */
    char start[24];     /* clock ticks since boot, /proc/self/stat field 22; "" as well */
};

/* Of this process. NULL, or the file that does not tell, with errno. */
const char *identity_own(struct identity *id);

/* True if `other` names a process of this boot and namespace that has provably ended: there is no
 * such pid any more, or /proc shows another process by that number, or one that has ended and that
 * no manager will ask about. What may not be looked at, or is hidden, may live. */
bool identity_is_dead(const struct identity *other);

#endif
