/* luatrace.c - see luatrace.h. */
#include "child/luatrace.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HALF 20 /* of a deep stack: so many from each end */
#define MOST 64
#define SOURCE_SIZE 200

struct frame {
    int left_out; /* > 0: so many functions stand here */
    int currentline, linedefined;
    const char *what, *namewhat; /* literals of Lua's */
    char source[SOURCE_SIZE], short_src[LUA_IDSIZE], name[LUA_IDSIZE];
};

_Static_assert(LUA_VERSION_NUM == 504, "luatrace_can_record knows Lua 5.4 alone");

static struct frame frames[MOST];
static int count;

static void add_frame(lua_State *L, int level)
{
    lua_Debug ar;
    if (count == MOST || !lua_getstack(L, level, &ar) || !lua_getinfo(L, "Snl", &ar))
        return;
    struct frame *f = &frames[count++];
    *f = (struct frame){.currentline = ar.currentline,
                        .linedefined = ar.linedefined,
                        .what = ar.what,
                        .namewhat = ar.namewhat};
    if (ar.srclen < sizeof f->source)
        memcpy(f->source, ar.source, ar.srclen);
    else
        snprintf(f->source, sizeof f->source, "@%s", ar.short_src);
    memcpy(f->short_src, ar.short_src, sizeof f->short_src);
    snprintf(f->name, sizeof f->name, "%s", ar.name ? ar.name : "");
}

static void add_left_out(int number)
{
    if (count < MOST)
        frames[count++] = (struct frame){.left_out = number};
}

/* How many functions are on the stack, found by halving: there may be 200,000. */
static int height(lua_State *L)
{
    lua_Debug ar;
    int low = 0, high = 1;
    while (lua_getstack(L, high, &ar)) {
        low = high;
        high *= 2;
    }
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (lua_getstack(L, middle, &ar))
            low = middle;
        else
            high = middle;
    }
    return high;
}

static void add_thread(lua_State *L)
{
    int levels = height(L), level = 0;
    if (levels > 2 * HALF) {
        while (level < HALF)
            add_frame(L, level++);
        level = levels - HALF;
        add_left_out(level - HALF);
    }
    while (level < levels)
        add_frame(L, level++);
}

void luatrace_record(const struct luathread *thread)
{
    count = 0;
    for (; thread && count < MOST; thread = thread->from)
        add_thread(thread->L);
}

/* Looks at the first member of the CallInfo that a lua_Debug points to, in each Lua 5.4: the
 * function that runs. From 5.4.5 on this is a distance from the stack's foot, so less than `size`,
 * while that stack is moved, and an address otherwise. */
bool luatrace_can_record(const struct luathread *thread, size_t size)
{
    lua_Debug ar;
    uintptr_t function;
    if (LUA_VERSION_RELEASE_NUM < 50405 || !thread || !lua_getstack(thread->L, 0, &ar))
        return true;
    memcpy(&function, ar.i_ci, sizeof function);
    return function >= size;
}

static void set_text(lua_State *L, const char *field, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, field);
}

static void push_frame(lua_State *L, const struct frame *f)
{
    lua_createtable(L, 0, 7);
    lua_pushinteger(L, f->currentline);
    lua_setfield(L, -2, "currentline");
    lua_pushinteger(L, f->linedefined);
    lua_setfield(L, -2, "linedefined");
    set_text(L, "what", f->what);
    set_text(L, "namewhat", f->namewhat);
    set_text(L, "source", f->source);
    set_text(L, "short_src", f->short_src);
    if (*f->name)
        set_text(L, "name", f->name);
}

void luatrace_push(lua_State *L)
{
    lua_createtable(L, count, 0);
    for (int i = 0; i < count; i++) {
        if (frames[i].left_out)
            lua_pushinteger(L, frames[i].left_out);
        else
            push_frame(L, &frames[i]);
        lua_rawseti(L, -2, i + 1);
    }
}
