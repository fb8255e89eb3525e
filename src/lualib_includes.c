/* lualib_includes.c - sys.includes: the files that a list such as APP_INCLUDE names. */
#include "lualib_includes.h"

#include <lauxlib.h>

#include "includes.h"

/*** The files of a list as APP_INCLUDE is one.
@function includes
@tparam ?string list nil: nothing is named
@treturn {string,...} their names */
int lualib_sys_includes(lua_State *L)
{
    const char *list = luaL_optstring(L, 1, ""), *name;
    size_t len;
    lua_newtable(L);
    for (lua_Integer i = 1; includes_next(&list, &name, &len); i++) {
        lua_pushlstring(L, name, len);
        lua_rawseti(L, -2, i);
    }
    return 1;
}
