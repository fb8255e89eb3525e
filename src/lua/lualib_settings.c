/* lualib_settings.c - the effective settings of the program as the Lua table `sys.settings`.
 *
 * This is not in lualib_sys.c because sys.so, the module for plain lua5.4, has no options to show.
 * Secrets are not in the table: options_row gives none. A setting is looked up when it is first
 * asked for: a job's process needs one or two. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/plain.h"
#include "base/version.h"
#include "lua/luaborrowed.h"
#include "lua/lualib_sys.h"
#include "options/options.h"
#include "os/seccomp.h"

/* Pushes the value of one row, whose text options_parse has checked; a switch that is off is nil.
 */
static void push_value(lua_State *L, char type, const char *text)
{
    if (type == 'b' && strcmp(text, "1") != 0)
        lua_pushnil(L);
    else if (type == 'b' || (type != 's' && !*text)) /* a flag without its optional value */
        lua_pushboolean(L, true);
    else if (type == 'i' || type == 'z')
        lua_pushinteger(L, strtoll(text, NULL, 10));
    else if (type == 'd')
        lua_pushnumber(L, plain_number(text));
    else
        lua_pushstring(L, text);
}

/* "worker-host" is worker_host. */
static bool is_named(const char *flag, const char *name)
{
    for (; *flag && *name; flag++, name++)
        if (*flag != *name && !(*flag == '-' && *name == '_'))
            return false;
    return !*flag && !*name;
}

/* __index of the settings; upvalue 1: struct options. A value found is kept in the table. */
static int settings_index(lua_State *L)
{
    const struct options *options = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = luaL_checkstring(L, 2), *flag, *text;
    char type;
    for (size_t i = 0; i < options_rows(); i++) {
        if (!options_row(options, i, &flag, &type, &text) || !flag || !text ||
            !is_named(flag, name))
            continue;
        push_value(L, type, text);
        lua_pushvalue(L, 2);
        lua_pushvalue(L, -2);
        lua_rawset(L, 1);
        return 1;
    }
    return 0;
}

static void push_arguments(lua_State *L, const struct options *options)
{
    lua_createtable(L, options->argument_count, 0);
    for (int i = 0; i < options->argument_count; i++) {
        lua_pushstring(L, options->arguments[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* Makes the table; upvalue 1: struct options. */
static int make_settings(lua_State *L)
{
    const struct options *options = lua_touserdata(L, lua_upvalueindex(1));
    lua_createtable(L, 0, 5);
    lua_pushstring(L, options->fleet.prefix);
    lua_setfield(L, -2, "prefix");
    push_arguments(L, options);
    lua_setfield(L, -2, "arguments");
    lua_pushboolean(L, seccomp_filter_is_built());
    lua_setfield(L, -2, "seccomp");
    lua_pushinteger(L, VERSION_FEATURES);
    lua_setfield(L, -2, "features");
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, settings_index, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}

void lualib_sys_set_program(lua_State *L, const struct options *options)
{
    luaborrowed_push(L, options);
    lua_pushcclosure(L, make_settings, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, LUALIB_SYS_SETTINGS);
}
