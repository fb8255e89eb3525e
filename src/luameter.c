/* luameter.c - see luameter.h. */
#include "luameter.h"

#include <stdint.h>

#include "luathread.h"
#include "luatrace.h"

/* Keeps where it happened: the error itself calls no message handler. From Lua 5.4.5 on a stack
 * that grows cannot be looked at meanwhile, so there no block that grows is. */
static void refuse(struct luameter *m, const void *block)
{
    m->refused = true;
    if (LUA_VERSION_RELEASE_NUM < 50405 || !block)
        luatrace_record(luathread_running());
}

/* For an object Lua collects its garbage and asks again. For the text that a C function builds
 * (luaL_Buffer) it does not; such a block, which is no kind of object, may take as much again, and
 * the next object settles it. */
static bool fits(const struct luameter *m, const void *block, size_t kind, size_t size, size_t more)
{
    bool plain = block || kind == 0;
    size_t most = plain && size <= m->limit ? m->limit : 0;
    most = most <= SIZE_MAX - m->limit ? most + m->limit : SIZE_MAX;
    return m->used <= most && more <= most - m->used;
}

/* lua_Alloc. Without a block, `old` is the kind of object, not a size. */
static void *allocate(void *meter, void *block, size_t old, size_t size)
{
    struct luameter *m = meter;
    size_t had = block ? old : 0;
    if (size > had && !fits(m, block, old, size, size - had)) {
        refuse(m, block);
        return NULL;
    }
    void *got = m->next(m->where, block, old, size);
    if (got || !size)
        m->used = m->used - had + size;
    else
        refuse(m, block);
    return got;
}

void luameter_start(struct luameter *m, lua_State *L, size_t limit)
{
    *m = (struct luameter){.limit = limit};
    m->next = lua_getallocf(L, &m->where);
    m->used = (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
    lua_setallocf(L, allocate, m);
}
