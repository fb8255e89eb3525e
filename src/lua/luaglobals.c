/* luaglobals.c - see luaglobals.h. */
#include "lua/luaglobals.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdbool.h>
#include <string.h>

static const char copy_key; /* its address: where the registry holds the copy */

/* Replaces the table on top of the stack by a copy. */
static void copy_table(lua_State *L)
{
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, -3)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_remove(L, -2);
}

/* Whether the value on top is a library, to be copied: a table, but not _G nor package. */
static bool is_library(lua_State *L)
{
    const char *name = lua_tostring(L, -2);
    return lua_istable(L, -1) && strcmp(name, LUA_GNAME) != 0 && strcmp(name, LUA_LOADLIBNAME) != 0;
}

void luaglobals_keep(lua_State *L)
{
    lua_pushglobaltable(L);
    copy_table(L);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (is_library(L))
            copy_table(L);
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4); /* the field exists, so lua_next may go on */
    }
    lua_rawsetp(L, LUA_REGISTRYINDEX, &copy_key);
}

void luaglobals_push(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &copy_key);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

void luaglobals_give(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &copy_key);
    lua_setupvalue(L, -2, 1);
}
