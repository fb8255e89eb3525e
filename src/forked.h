/* forked.h - processes that scripts make by fork(): copies of the one that runs them. They are not
 * ours to use: they report nothing, and lua/resque/forked.lua ends them where they come back from
 * the script. */
#ifndef FORKED_H
#define FORKED_H

#include <lua.h>

/* What is buffered is written before any fork of this program and its children: it would be written
 * twice. Once is enough; again does nothing. */
void forked_prepare(void);

/* The code that os.exit would end the process with, from its arguments in `L`. May raise. */
int forked_exit_code(lua_State *L);

/* sys.leave(code, close): Lua's os.exit, but that nothing is called which C modules have registered
 * for an exit: that is the first process's. */
int forked_leave(lua_State *L);

#endif
