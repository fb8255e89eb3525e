/* luavalues.h - values of Redis as values of Lua: what a reply is to a script, and what a script
 * may put into a command. */
#ifndef LUAVALUES_H
#define LUAVALUES_H

#include <lua.h>
#include <stdbool.h>

#include "redis/redis.h"

/* Pushes one value: a string, an integer or a table; an error is the table {err = text}. nil is
 * nil, but `inside` an array cjson.null. May raise (memory, depth). */
void luavalues_push_reply(lua_State *L, const struct redis_reply *reply, bool inside);

/* Whether the value at `index` can be a word of a command: a string or a finite number. */
bool luavalues_is_word(lua_State *L, int index);

/* Adds the word on top of the stack to the command. A number is replaced by its text there; the
 * value must stay on the stack for as long as the command is used. May raise (memory). */
void luavalues_add_word(lua_State *L, struct redis_args *args);

#endif
