/* lualib_includes.c - of resque.sys, what is about the files of APP_INCLUDE. */
#include "lua/lualib_includes.h"

#include <lauxlib.h>

#include "options/include_list.h"
#include "os/folder.h"

/*** The files that a list in the form of APP_INCLUDE names.
@function includes
@tparam ?string list nil: nothing is named
@treturn {string,...} their names */
int lualib_sys_includes(lua_State *L)
{
    const char *list = luaL_optstring(L, 1, ""), *name;
    size_t len;
    lua_newtable(L);
    for (lua_Integer i = 1; include_list_next(&list, &name, &len); i++) {
        lua_pushlstring(L, name, len);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

/*** Whether the folder that this process works in, to which names are relative, was removed.
@function folder_is_gone
@treturn boolean */
int lualib_sys_folder_is_gone(lua_State *L)
{
    lua_pushboolean(L, folder_is_gone());
    return 1;
}
