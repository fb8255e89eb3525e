/* lualib_includes.h - functions of the Lua module `resque.sys`. */
#ifndef LUALIB_INCLUDES_H
#define LUALIB_INCLUDES_H

#include <lua.h>

int lualib_sys_includes(lua_State *L);
int lualib_sys_folder_is_gone(lua_State *L);

#endif
