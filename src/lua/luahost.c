/* luahost.c - Lua commands and the check of APP_INCLUDE. See luahost.h. */
#include "lua/luahost.h"

#include <stdio.h>

#include "lua/luaborrowed.h"
#include "lua/luastate.h"

static int call_command(lua_State *L)
{
    const struct options *options = lua_touserdata(L, 1);
    luastate_push_function(L, lua_touserdata(L, 2), "run");
    lua_createtable(L, options->argument_count, 0);
    for (int i = 0; i < options->argument_count; i++) {
        lua_pushstring(L, options->arguments[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 1, 1);
    return 1;
}

int luahost_command(const struct options *options, const char *module)
{
    char err[512];
    int code = EXIT_FAILED;
    lua_State *L = luastate_open(options, LUASTATE_COMMAND, err, sizeof err);
    if (!L) {
        fprintf(stderr, "resque-lua: %s\n", err);
        return code;
    }
    lua_pushcfunction(L, call_command);
    luaborrowed_push(L, options);
    luaborrowed_push(L, module);
    if (luastate_call(L, 2, 1) == LUA_OK)
        code = (int)lua_tointeger(L, -1);
    else
        fprintf(stderr, "resque-lua: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return code;
}

static int call_check(lua_State *L)
{
    luastate_push_function(L, "resque.job.runner", "check");
    lua_call(L, 0, 2);
    return 2;
}

int luahost_check(const struct options *options, bool *parent_hooks, char *err, size_t err_size)
{
    lua_State *L = luastate_open(options, LUASTATE_WORKER, err, err_size);
    if (!L)
        return -1;
    lua_pushcfunction(L, call_check);
    bool raised = luastate_call(L, 0, 2) != LUA_OK;
    bool broken = raised || !lua_isnil(L, -1);
    if (broken)
        snprintf(err, err_size, "%s", lua_tostring(L, -1));
    else
        *parent_hooks = lua_toboolean(L, -2);
    lua_close(L);
    return broken ? -1 : 0;
}
