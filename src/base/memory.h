/* memory.h - allocation that cannot fail: without memory the process says so and exits. Its
 * manager, or the supervisor of the manager, starts it again, and accounts for its job by the
 * worker's record. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

void *memory_get(size_t size);                   /* zeroed */
void *memory_grow(void *block, size_t size);     /* realloc */
char *memory_copy(const char *text, size_t len); /* NUL-terminated copy of `len` bytes */
/* The three texts joined, for names of keys, which may be of any length. The caller frees it. */
char *memory_join(const char *a, const char *b, const char *c);

#endif
