/* watched.h - remembers files as they were at a first look, and tells whether one of them was
 * changed, replaced, removed or made since. */
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

/* Looks at a file, before the caller reads it, so that no later change is missed; or at a folder,
 * whose names are watched then. Only the first look at a path counts. */
void watched_add(struct watched *w, const char *path);

bool watched_changed(const struct watched *w);
void watched_clear(struct watched *w);

#endif
