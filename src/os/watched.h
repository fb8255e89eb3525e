/* watched.h - files as they were when somebody looked: has one of them been changed, replaced or
 * removed, or made where there was none? */
#ifndef WATCHED_H
#define WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct watched_file {
    char *path;
    uint64_t state;
};

struct watched { /* all zero: none */
    struct watched_file *files;
    size_t count;
};

/* Looks at a file that is about to be read (so that no change after that is missed), or at a
 * folder, whose names are watched then. The first look at a path counts. */
void watched_add(struct watched *w, const char *path);

bool watched_changed(const struct watched *w);
void watched_clear(struct watched *w);

#endif
