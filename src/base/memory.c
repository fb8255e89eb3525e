/* memory.c - see memory.h. */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* stdio may need memory itself, so this writes by hand. */
static void *or_leave(void *block)
{
    static const char text[] = "*** resque-lua: out of memory\n";
    if (block)
        return block;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(EXIT_FAILURE);
    _exit(EXIT_FAILURE);
}

void *memory_get(size_t size)
{
    return or_leave(calloc(1, size ? size : 1));
}

void *memory_grow(void *block, size_t size)
{
    return or_leave(realloc(block, size ? size : 1));
}

char *memory_copy(const char *text, size_t len)
{
    char *copy = or_leave(malloc(len + 1));
    if (len)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *memory_join(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *joined = or_leave(malloc(size));
    stpcpy(stpcpy(stpcpy(joined, a), b), c);
    return joined;
}
