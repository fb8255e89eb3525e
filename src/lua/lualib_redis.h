/* lualib_redis.h - the Lua module `resque.net`: raw connections to Redis, values as Lua values.
 *
 * The same module serves the program (preloaded) and plain lua5.4 (build/lib/resque/net.so). It
 * adds no prefix and knows no Resque keys: lua/resque/connection.lua is what jobs see of it. */
#ifndef LUALIB_REDIS_H
#define LUALIB_REDIS_H

#include <lua.h>

struct options;

/* Leaves the module table on the stack. */
int luaopen_resque_net(lua_State *L);

/* `net.connect()` without an address goes where the program's settings say, its password included,
 * which Lua never sees. `options` is borrowed for the state's life. May raise a Lua error (memory).
 */
void lualib_redis_set_program(lua_State *L, const struct options *options);

#endif
