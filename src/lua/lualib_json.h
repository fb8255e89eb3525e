/* lualib_json.h - the Lua module `resque.sys.json`: checks and reads JSON, exactly. 64-bit
 * integers, 1 and 1.0, [] and {} stay what they are, and no locale changes it. resque/json.lua is
 * what jobs see of it.
 *
 * The same module serves the program (preloaded) and plain lua5.4 (build/lib/resque/sys/json.so).
 */
#ifndef LUALIB_JSON_H
#define LUALIB_JSON_H

#include <lua.h>

/* Leaves the module table on the stack. */
int luaopen_resque_sys_json(lua_State *L);

#endif
