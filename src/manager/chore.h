/* chore.h - a duty of the manager besides its workers. A new one is a file, and a row in the table
 * of manager.c. Its descriptors enter the list of os/descriptors.h where they are
 * opened. */
#ifndef CHORE_H
#define CHORE_H

#include <stdint.h>

#include "manager/crew.h"
#include "options/options.h"
#include "os/events.h"
#include "redis/redis.h"

/* The manager's own things that each chore may use; borrowed for its life. */
struct chore_context {
    const struct options *options;
    struct events *events;
    struct crew *crew;
    struct redis *redis; /* the manager's own connection, for questions that are answered at once */
};

struct chore {
    /* The slots that wake it; it fills them. */
    unsigned slots;
    /* Makes the others' argument; talks to nobody yet. NULL: these settings do not ask for it. */
    void *(*open)(const struct chore_context *context);
    /* Does what is due, in each round of the manager, and waits no longer than a few seconds. */
    void (*look)(void *chore);
    /* When `look` is to be called at the latest, as clock_ms() counts; CLOCK_NEVER. */
    int64_t (*deadline)(const void *chore);
    /* Does what must be done before the manager leaves, and frees. */
    void (*close)(void *chore);
};

#endif
