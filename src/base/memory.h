/* memory.h - allocation that cannot fail: without memory the program says so and leaves (the
 * manager, or what watches the manager, starts it again; the job stays in its worker's record and
 * is accounted for). */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

void *memory_get(size_t size);                   /* zeroed */
void *memory_grow(void *block, size_t size);     /* realloc */
char *memory_copy(const char *text, size_t len); /* NUL-terminated copy of `len` bytes */
/* The three texts behind each other: names of keys, which may be of any length. */
char *memory_join(const char *a, const char *b, const char *c);

#endif
