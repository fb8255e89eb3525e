/* luathread.c - see luathread.h. resume, wrap and close are those of Lua's lcorolib.c. */
#include "child/luathread.h"

#include <lauxlib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Process-wide by nature: a signal handler reads them. */
static struct luathread main_thread;
static const struct luathread *volatile running;
static void (*volatile follower)(lua_State *L);

const struct luathread *luathread_running(void)
{
    return running;
}

void luathread_follow(void (*fn)(lua_State *L))
{
    follower = fn;
}

void luathread_end(void)
{
    running = NULL;
}

/* Makes `thread` the running one. A signal may come at any moment of this, and none is lost: before
 * `running` is set, its hook is on the old thread, and `follower` sets it on the new one, too;
 * after it, the hook is on the new thread right away. */
static void switch_to(const struct luathread *thread)
{
    atomic_signal_fence(memory_order_seq_cst); /* *thread is written before it is seen */
    running = thread;
    void (*fn)(lua_State *) = follower;
    if (fn)
        fn(thread->L);
}

/* --- Lua's coroutine library --- */

/* Calls Lua's own function, upvalue 1, which knows the words for a wrong argument. */
static int refuse(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Resumes `co` as the running thread. lua_resume raises nothing: the old one is always restored. */
static int resume_thread(lua_State *L, lua_State *co, int arguments, int *results)
{
    const struct luathread *before = running;
    const struct luathread here = {co, before};
    if (!before) /* the state is being closed */
        return lua_resume(co, L, arguments, results);
    switch_to(&here);
    int status = lua_resume(co, L, arguments, results);
    switch_to(before);
    return status;
}

/* Closes the pending variables of `co`, whose __close runs in it. */
static int reset_thread(lua_State *L, lua_State *co)
{
    const struct luathread *before = running;
    const struct luathread here = {co, before};
    if (before)
        switch_to(&here);
#if LUA_VERSION_RELEASE_NUM >= 50406
    int status = lua_closethread(co, L);
#elif LUA_VERSION_RELEASE_NUM == 50405
    int status = lua_resetthread(co, L);
#else
    (void)L;
    int status = lua_resetthread(co);
#endif
    if (before)
        switch_to(before);
    return status;
}

/* Returns the number of results on top of L; -1: the error is there. */
static int resume_with(lua_State *L, lua_State *co, int arguments)
{
    int results;
    if (!lua_checkstack(co, arguments)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, arguments);
    int status = resume_thread(L, co, arguments, &results);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static int co_resume(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    if (!co)
        return refuse(L);
    int results = resume_with(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    if (results < 0)
        results = 1;
    lua_insert(L, -(results + 1));
    return results + 1;
}

/* The function that coroutine.wrap returns; upvalue 1: the thread. */
static int wrapped(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int results = resume_with(L, co, lua_gettop(L));
    if (results >= 0)
        return results;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = reset_thread(L, co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int co_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, wrapped, 1);
    return 1;
}

static bool is_closable(lua_State *L, lua_State *co)
{
    lua_Debug ar;
    return co && co != L && (lua_status(co) != LUA_OK || !lua_getstack(co, 0, &ar));
}

static int co_close(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);
    if (!is_closable(L, co))
        return refuse(L);
    bool well = reset_thread(L, co) == LUA_OK;
    lua_pushboolean(L, well);
    if (well)
        return 1;
    lua_xmove(co, L, 1);
    return 2;
}

/* Replaces the function of that name in the table on top; the old one becomes upvalue 1. */
static void replace(lua_State *L, const char *name, lua_CFunction fn)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, fn, 1);
    lua_setfield(L, -2, name);
}

void luathread_install(lua_State *L)
{
    lua_getglobal(L, "coroutine");
    replace(L, "resume", co_resume);
    replace(L, "wrap", co_wrap);
    replace(L, "close", co_close);
    lua_pop(L, 1);
    main_thread.L = L;
    running = &main_thread;
}
