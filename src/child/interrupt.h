/* interrupt.h - a signal becomes a Lua error inside the job, wherever it is: in a coroutine, under
 * pcall. Its handler (jobsignals.c) only leaves a note (a hook), which Lua finds at its next step.
 * A hook does not reach a loop inside a C function (a pattern), nor __gc: what ends those is the
 * worker's TERM and KILL.
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

/* What the error says; copied. May be set before the fork, and again later. */
void interrupt_say(enum interrupt which, const char *message);

/* Leaves the note; for signal handlers. */
void interrupt_raise(enum interrupt which);

/* Whether one is there that is not through yet. */
bool interrupt_pending(void);

/* Whose error it is; LIMIT_NONE: INTERRUPT_TERM is no limit. */
enum limit interrupt_limit(enum interrupt which);

/* Which one made the error value at `index`, if any did. */
enum interrupt interrupt_of(lua_State *L, int index);

#endif
