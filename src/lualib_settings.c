/* lualib_settings.c - the effective settings of the program as the Lua table `sys.settings`.
 *
 * Apart from lualib_sys.c because sys.so, the module for plain lua5.4, has no options to show.
 * Secrets are not in it: options_row gives none. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "lualib_sys.h"
#include "options.h"

/* Pushes the value of one row; `text` was checked by options_parse. Nothing at all: a switch that
 * is off. */
static bool push_value(lua_State *L, char type, const char *text)
{
    if (type == 'b' && strcmp(text, "1") != 0)
        return false;
    if (type == 'b' ||
        (type != 's' && !*text)) /* a flag that was given without its optional value */
        lua_pushboolean(L, true);
    else if (type == 'i' || type == 'z')
        lua_pushinteger(L, strtoll(text, NULL, 10));
    else if (type == 'd')
        lua_pushnumber(L, strtod(text, NULL));
    else
        lua_pushstring(L, text);
    return true;
}

/* Pops a value; "worker-host" becomes settings.worker_host. */
static void set_row(lua_State *L, const char *flag)
{
    luaL_gsub(L, flag, "-", "_");
    lua_insert(L, -2);
    lua_rawset(L, -3);
}

static void push_arguments(lua_State *L, const struct options *o)
{
    lua_createtable(L, o->argument_count, 0);
    for (int i = 0; i < o->argument_count; i++) {
        lua_pushstring(L, o->arguments[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* Makes the table: every row that has a value, by its long flag; the prefix; the words after the
 * flags. */
static int make_settings(lua_State *L)
{
    const struct options *o = lua_touserdata(L, lua_upvalueindex(1));
    lua_createtable(L, 0, 64);
    for (size_t i = 0; i < options_rows(); i++) {
        const char *flag, *text;
        char type;
        if (options_row(o, i, &flag, &type, &text) && flag && text && push_value(L, type, text))
            set_row(L, flag);
    }
    lua_pushstring(L, o->prefix);
    lua_setfield(L, -2, "prefix");
    push_arguments(L, o);
    lua_setfield(L, -2, "arguments");
    return 1;
}

void lualib_sys_set_program(lua_State *L, const struct options *o)
{
    lua_pushlightuserdata(L, (void *)o);
    lua_pushcclosure(L, make_settings, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, LUALIB_SYS_SETTINGS);
}
