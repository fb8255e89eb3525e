/* interrupt.h - turns a signal into a Lua error inside the job, wherever it is: in a coroutine,
 * under pcall. The signal's handler (jobsignals.c) only sets a hook, which Lua calls at its next
 * step. A hook does not reach a loop inside a C function (a pattern), nor __gc: the worker's TERM
 * and KILL end those.
 *
 * An error of a limit that the job catches is raised again after some 10 ms of Lua, and then at
 * every step, until it arrives in the program's own sys.xpcall. Only inside of that anything is
 * raised, so that the program's own steps are not hit. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <lua.h>
#include <stdbool.h>

#include "job/limit.h"

enum interrupt {
    INTERRUPT_NONE,
    INTERRUPT_TERM,    /* Resque::TermException, raised once for each */
    INTERRUPT_TIMEOUT, /* Resque::Timeout */
    INTERRUPT_CPU,     /* Resque::CpuLimit */
    INTERRUPT_COUNT
};

/* Adds xpcall(f, handler, ...) to the table on top of the stack: Lua's own, and errors may be
 * raised inside. May raise. */
void interrupt_install(lua_State *L);

/* Sets the message of its error; copied. May be called before the fork, and again later. */
void interrupt_say(enum interrupt which, const char *message);

/* Sets the hook that raises the error; for signal handlers. */
void interrupt_raise(enum interrupt which);

/* Whether an interrupt was raised that is not over yet. */
bool interrupt_pending(void);

/* Returns the limit that raises it; LIMIT_NONE for INTERRUPT_TERM. */
enum limit interrupt_limit(enum interrupt which);

/* Returns the interrupt whose error value is at `index`, or INTERRUPT_NONE. */
enum interrupt interrupt_of(lua_State *L, int index);

#endif
