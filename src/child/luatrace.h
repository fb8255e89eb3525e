/* luatrace.h - records the stack of a job as a limit found it, without allocating anything. Lua's
 * own traceback comes too late for that (the error of a coroutine arrives in the thread that
 * resumed it) or cannot be made (there is no memory). A new record replaces the one before. */
#ifndef LUATRACE_H
#define LUATRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "child/luathread.h"

/* Records the functions of `thread` and of the threads that resumed it; of a deep stack both ends.
 */
void luatrace_record(const struct luathread *thread);

/* Whether luatrace_record can be called while a block of `size` bytes is being made larger: not if
 * that is the stack of `thread` itself. */
bool luatrace_can_record(const struct luathread *thread, size_t size);

/* Pushes the list, innermost first: a table as debug.getinfo makes it (source, short_src,
 * currentline, linedefined, what, name, namewhat), or the number of functions left out. May raise.
 */
void luatrace_push(lua_State *L);

#endif
