/* lualib_script.h - `net.script`: the text of a script of lua/server, for Lua code that calls it
 * by EVAL. */
#ifndef LUALIB_SCRIPT_H
#define LUALIB_SCRIPT_H

#include <lua.h>

/* A function of the module `resque.net`. Upvalue 1: the program's options, nil in plain lua5.4. */
int lualib_script(lua_State *L);

#endif
