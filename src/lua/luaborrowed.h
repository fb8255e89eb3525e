/* luaborrowed.h - hands a pointer to const through Lua. Our C functions read it with lua_touserdata
 * as a pointer to const again, and Lua never looks behind it; but lua_pushlightuserdata takes no
 * const, so this is the one place that drops it. */
#ifndef LUABORROWED_H
#define LUABORROWED_H

#include <lua.h>
#include <stdint.h>

/* Pushes `borrowed`, which must live for as long as anybody reads it. NULL is fine. */
static inline void luaborrowed_push(lua_State *L, const void *borrowed)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)borrowed);
}

#endif
