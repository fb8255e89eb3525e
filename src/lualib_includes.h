/* lualib_includes.h - sys.includes, a function of the Lua module `resque.sys`. */
#ifndef LUALIB_INCLUDES_H
#define LUALIB_INCLUDES_H

#include <lua.h>

int lualib_sys_includes(lua_State *L);

#endif
