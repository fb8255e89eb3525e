/* luastate.h - a Lua state with everything a script may use, and protected calls into it. Only
 * luahost*.c and child/job_state.c use this. */
#ifndef LUASTATE_H
#define LUASTATE_H

#include <lua.h>
#include <stddef.h>

#include "job/job.h"
#include "options/options.h"

/* What a state is for: scripts see it as `sys.where`, which lualib_sys.c describes. */
enum luastate_where { LUASTATE_JOB, LUASTATE_WORKER, LUASTATE_COMMAND };

/* Standard libraries, cjson, resque.* (embedded or from RESQUE_LUA_PATH), the settings. NULL: `err`
 * says why. */
lua_State *luastate_open(const struct options *options, enum luastate_where where, char *err,
                         size_t err_size);

/* The same, in a region of memory of its own (luaarena.h). */
lua_State *luastate_open_in_arena(const struct options *options, enum luastate_where where,
                                  char *err, size_t err_size);

void luastate_close(lua_State *L);

/* lua_pcall with a traceback: on error one message string is left instead of the results. */
int luastate_call(lua_State *L, int arguments, int results);

/* Pushes require(module), whatever scripts have made of `require`. May raise. */
void luastate_push_module(lua_State *L, const char *module);

/* Pushes require(module)[name]. May raise. */
void luastate_push_function(lua_State *L, const char *module, const char *name);

/* Pushes what Lua learns of a job: payload (the raw bytes), queue, class, id, worker. May raise. */
void luastate_push_job(lua_State *L, const struct job *job, const char *worker_id);

/* Draws a new seed for math.random from the kernel. May raise. */
void luastate_seed(lua_State *L);

#endif
