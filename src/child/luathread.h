/* luathread.h - which thread (coroutine) of a job's Lua state is running.
 *
 * A hook belongs to one thread, and a signal has to set it on the one that runs; Lua itself does
 * not know which that is. So a job's coroutine.resume, wrap and close are ours: Lua's own, step for
 * step, that also keep account. Threads that a C module resumes by itself are not seen. */
#ifndef LUATHREAD_H
#define LUATHREAD_H

#include <lua.h>

struct luathread {
    lua_State *L;
    const struct luathread *from; /* the thread that resumed it; NULL: this is the main thread */
};

/* Puts our functions into `coroutine`. L: the main thread; it counts as running from now on. May
 * raise. */
void luathread_install(lua_State *L);

/* Returns the running thread; NULL: none yet, or none any more. For signal handlers, too. */
const struct luathread *luathread_running(void);

/* Has `fn` called from now on with each thread that begins to run or goes on. NULL: nothing is
 * called. For signal handlers, too. */
void luathread_follow(void (*fn)(lua_State *L));

/* Says that no thread runs any more: the state is about to be closed. */
void luathread_end(void);

#endif
