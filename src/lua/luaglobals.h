/* luaglobals.h - the global variables of our own Lua modules: the standard library as it was before
 * any script ran. A job that replaces `pcall` or removes `debug` changes its own world, not the
 * code that runs and reports it, and gets hold of nothing that this code may do. */
#ifndef LUAGLOBALS_H
#define LUAGLOBALS_H

#include <lua.h>

/* Copies the globals and the library tables. `_G` stays the scripts' own and `package` the real
 * one. Call it once in a state, when everything in it is as it should be. May raise (memory). */
void luaglobals_keep(lua_State *L);

/* Pushes a global variable as it was then. */
void luaglobals_push(lua_State *L, const char *name);

/* Gives the chunk on top of the stack the copy as its globals. */
void luaglobals_give(lua_State *L);

#endif
