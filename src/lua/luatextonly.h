/* luatextonly.h - Lua code is text: load, loadfile, dofile and require refuse bytecode, which can
 * read and write any memory of the process. For everything that runs Lua: jobs, hooks, APP_INCLUDE,
 * commands. */
#ifndef LUATEXTONLY_H
#define LUATEXTONLY_H

#include <lua.h>

#include "os/watched.h"

/* Puts them in the place of the standard library's, whose behaviour they otherwise have; call it
 * before other searchers are added. May raise (memory). */
void luatextonly_open(lua_State *L);

/* From now on every Lua file that any of them is about to read is added to `files`, which is
 * borrowed for the state's life. May raise (memory). */
void luatextonly_watch(lua_State *L, struct watched *files);

#endif
