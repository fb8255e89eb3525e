/* forked.h - what becomes of processes that a script makes by fork(). Such a copy of the program's
 * own process must not report as if it were the job: lua/resque/job/forked.lua ends it where it
 * comes back from the script. */
#ifndef FORKED_H
#define FORKED_H

#include <lua.h>

/* Has buffered output written before each fork, as both processes would write it. Begins when a
 * script first looks for a C module, without which it cannot fork. To be called when
 * package.searchers has all of its searchers, of which the last two are Lua's for C. May raise. */
void forked_open(lua_State *L);

/* The code that os.exit would end the process with, from its arguments in `L`. May raise. */
int forked_exit_code(lua_State *L);

/* sys.leave(code, close): Lua's os.exit, without the functions that C modules have registered for
 * an exit: these are for the first process. */
int forked_leave(lua_State *L);

#endif
