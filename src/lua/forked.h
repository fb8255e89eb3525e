/* forked.h - processes that scripts make by fork(): copies of the one that runs them. They are not
 * ours to use: they report nothing, and lua/resque/job/forked.lua ends them where they come back
 * from the script. */
#ifndef FORKED_H
#define FORKED_H

#include <lua.h>

/* From when a script first looks for a C module, without which it cannot fork: what is buffered is
 * written before each fork, as it would be written twice. To be called when all of the searchers
 * are in package.searchers, the last two of which are Lua's for C. May raise. */
void forked_open(lua_State *L);

/* The code that os.exit would end the process with, from its arguments in `L`. May raise. */
int forked_exit_code(lua_State *L);

/* sys.leave(code, close): Lua's os.exit, but that nothing is called which C modules have registered
 * for an exit: that is the first process's. */
int forked_leave(lua_State *L);

#endif
