/* luatrace.h - the stack of a job as it is at one moment, kept without allocating anything: where a
 * limit found it. Lua's own traceback is too late for that (the error of a coroutine arrives in who
 * resumed it) or impossible (there is no memory). One is kept; a new one replaces it. */
#ifndef LUATRACE_H
#define LUATRACE_H

#include <stdbool.h>
#include <stddef.h>

#include "child/luathread.h"

/* Keeps the functions of `thread` and of those it was resumed by; of a deep stack both ends. */
void luatrace_record(const struct luathread *thread);

/* Whether that is possible while a block of `size` bytes is being made larger: not if it is the
 * stack of `thread` itself. */
bool luatrace_can_record(const struct luathread *thread, size_t size);

/* Pushes the list, innermost first: a table as debug.getinfo makes it (source, short_src,
 * currentline, linedefined, what, name, namewhat), or the number of functions left out. May raise.
 */
void luatrace_push(lua_State *L);

#endif
