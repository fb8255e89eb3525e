/* luameter.c - see luameter.h. */
#include "child/luameter.h"

#include <stdint.h>

#include "child/luathread.h"
#include "child/luatrace.h"

#define LARGEST_STACK ((size_t)16 << 20) /* bytes; Lua's own limit */
#define SMALLEST_STACK 720               /* what a call needs otherwise is smaller */
#define SPARE ((size_t)256 << 10)        /* bytes beyond the limit for a stack that shrinks */

/* Whether `block` is the stack of the running thread: luatrace cannot record that thread while Lua
 * moves its stack. */
static bool is_blinding(const void *block, size_t size)
{
    return block && !luatrace_can_record(luathread_running(), size);
}

/* Refuses a request and records where, as Lua calls no message handler for this error. Returns
 * NULL. */
static void *refuse(struct luameter *m, const void *block, size_t old, size_t size)
{
    m->refused = true;
    m->asked.block = block;
    m->asked.old = old;
    m->asked.size = size;
    luatrace_record(is_blinding(block, old) ? NULL : luathread_running());
    if (m->tell)
        m->tell(true);
    return NULL;
}

/* Called when a request is granted. If it is the one that was refused last, Lua has collected its
 * garbage and asked again: no error was raised. */
static void forget_refusal(struct luameter *m, const void *block, size_t old, size_t size)
{
    bool again = m->asked.block == block && m->asked.old == old && m->asked.size == size;
    m->asked.size = 0;
    if (again && m->tell)
        m->tell(false);
}

/* Bytes that a new stack may take beyond the limit. After an error Lua shrinks the stack, which
 * 5.4.4 and older versions do by allocating another one: refusing that would raise nothing, and
 * the record of it would replace the place of the error. */
static size_t spare(const void *block, size_t kind, size_t size)
{
    bool stack = !block && kind == 0 && size >= SMALLEST_STACK && size <= SPARE;
    return LUA_VERSION_RELEASE_NUM < 50405 && stack ? SPARE : 0;
}

static size_t twice(size_t limit)
{
    return limit <= SIZE_MAX / 2 ? 2 * limit : SIZE_MAX;
}

/* Whether a request is within the limit. For an object Lua collects its garbage and asks again, for
 * a block without a kind (the text of a luaL_Buffer) it does not: such a block may take up to twice
 * the limit, and the next object is measured with it. */
static bool fits(const struct luameter *m, const void *block, size_t kind, size_t size, size_t more)
{
    bool plain = block || kind == 0;
    size_t most = plain && size <= m->limit ? twice(m->limit) : m->limit;
    most += most <= SIZE_MAX - SPARE ? spare(block, kind, size) : 0;
    return m->used <= most && more <= most - m->used;
}

/* Whether a block beyond the limit is granted because luatrace could not record its refusal: the
 * next request is refused instead, and has a place to show. */
static bool may_blind(const struct luameter *m, const void *block, size_t size)
{
    size_t beyond = m->used > twice(m->limit) ? m->used - twice(m->limit) : 0;
    return beyond <= LARGEST_STACK && is_blinding(block, size);
}

/* A lua_Alloc. For a new block `old` is the kind of object, not a size. */
static void *allocate(void *meter, void *block, size_t old, size_t size)
{
    struct luameter *m = meter;
    size_t had = block ? old : 0;
    if (size > had && !fits(m, block, old, size, size - had) && !may_blind(m, block, old))
        return refuse(m, block, old, size);
    void *got = m->next(m->where, block, old, size);
    if (!got && size)
        return refuse(m, block, old, size);
    m->used = m->used - had + size;
    if (m->asked.size && size > had)
        forget_refusal(m, block, old, size);
    return got;
}

void luameter_start(struct luameter *m, lua_State *L, size_t limit, void (*tell)(bool refused))
{
    *m = (struct luameter){.limit = limit, .tell = tell};
    m->next = lua_getallocf(L, &m->where);
    m->used = (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
    lua_setallocf(L, allocate, m);
}
