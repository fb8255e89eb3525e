/* forked.c - see forked.h. */
#include "lua/forked.h"

#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void flush(void)
{
    fflush(NULL);
}

static void flush_before_forks(void)
{
    static bool done;
    if (!done)
        pthread_atfork(flush, NULL, NULL);
    done = true;
}

/* Calls Lua's own finder of C modules, upvalue 1; from then on each fork flushes first. */
static int find_c(lua_State *L)
{
    flush_before_forks();
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

void forked_open(lua_State *L)
{
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "loadlib");
    lua_pushcclosure(L, find_c, 1);
    lua_setfield(L, -2, "loadlib");
    lua_getfield(L, -1, "searchers");
    lua_Integer last = luaL_len(L, -1);
    for (lua_Integer i = last - 1; i <= last; i++) {
        lua_geti(L, -1, i);
        lua_pushcclosure(L, find_c, 1);
        lua_seti(L, -2, i);
    }
    lua_pop(L, 2);
}

int forked_exit_code(lua_State *L)
{
    if (lua_isboolean(L, 1))
        return lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    return (int)luaL_optinteger(L, 1, EXIT_SUCCESS) & 0xff;
}

int forked_leave(lua_State *L)
{
    int code = forked_exit_code(L);
    if (lua_toboolean(L, 2))
        lua_close(L);
    flush();
    _exit(code);
}
