/* luaarena.c - see luaarena.h. */
#include "lua/luaarena.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/memory.h"

/* Address space, not memory: pages that are never written cost nothing. Our modules need about 0.4
 * MB. */
#define REGION (8u << 20)
#define ALIGNMENT 16u

struct luaarena {
    char *start, *next, *end;
    bool sealed; /* new blocks come from malloc */
};

static bool is_ours(const struct luaarena *arena, const char *block)
{
    return block >= arena->start && block < arena->end;
}

static void *take(struct luaarena *arena, size_t size)
{
    size_t whole = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (arena->sealed || whole > (size_t)(arena->end - arena->next))
        return malloc(size);
    char *block = arena->next;
    arena->next += whole;
    return block;
}

/* A lua_Alloc. For a new block `old` is the kind of object, not a size. */
static void *allocate(void *where, void *block, size_t old, size_t size)
{
    struct luaarena *arena = where;
    if (!block)
        return size ? take(arena, size) : NULL;
    if (!is_ours(arena, block)) {
        if (size)
            return realloc(block, size);
        free(block);
        return NULL;
    }
    if (size <= old)
        return size ? block : NULL;
    void *moved = take(arena, size);
    if (moved)
        memcpy(moved, block, old);
    return moved;
}

struct luaarena *luaarena_open(lua_State *L)
{
    void *region = mmap(NULL, REGION, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (region == MAP_FAILED)
        return NULL;
    struct luaarena *arena = memory_get(sizeof *arena);
    arena->start = arena->next = region;
    arena->end = arena->start + REGION;
    lua_setallocf(L, allocate, arena);
    return arena;
}

void luaarena_seal(struct luaarena *arena)
{
    if (arena)
        arena->sealed = true;
}

struct luaarena *luaarena_of(lua_State *L)
{
    void *arena;
    return lua_getallocf(L, &arena) == allocate ? arena : NULL;
}

void luaarena_close(struct luaarena *arena)
{
    if (!arena)
        return;
    munmap(arena->start, REGION);
    free(arena);
}
