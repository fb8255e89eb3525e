/* queues.h - QUEUE's list of names and patterns, and the ordered list of queues it stands for.
 *
 * Entries are trimmed; the left one comes first. `*` is every queue, other entries with * ? [ are
 * shell globs over the known queues (a leading dot must be matched by a dot), `!entry` leaves out
 * the queues that it matches. Each expansion is sorted by bytes, without doubles; a name without
 * wildcards is in the list even if Redis does not know that queue yet. */
#ifndef QUEUES_H
#define QUEUES_H

#include <stdbool.h>
#include <stddef.h>

struct queues {
    char **patterns; /* in order, as given, without `!` entries */
    size_t pattern_count;
    char **excluded; /* the `!` entries without their `!` */
    size_t excluded_count;
    bool dynamic; /* the expansion depends on the known queues */
    char *label;  /* the patterns joined by commas: worker id and titles */
    char **names; /* the expansion */
    size_t count;
};

/* 0, or -1 and what is wrong with the list in `err` (empty, or only `!` entries). */
int queues_parse(struct queues *q, const char *list, char *err, size_t err_size);
void queues_clear(struct queues *q);

/* Makes the expansion anew from the known names; `known` is sorted in place. */
void queues_expand(struct queues *q, const char **known, size_t count);

/* Whether the list covers a queue of that name. */
bool queues_match(const struct queues *q, const char *name);

#endif
