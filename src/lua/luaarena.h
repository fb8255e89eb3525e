/* luaarena.h - memory for the prepared Lua state: one region, filled from its start, never freed
 * piecemeal.
 *
 * A job's process shares the state's pages with its worker until one of them writes. Were the state
 * made with malloc, the job's first allocations would land in the gaps between its objects, and
 * each would cost the copy of a page; with the region they come from fresh memory, side by side.
 * Measured: 70 page faults a job instead of 98. */
#ifndef LUAARENA_H
#define LUAARENA_H

#include <lua.h>

struct luaarena;

/* A region for what `L` allocates from now on; freed by luaarena_close. NULL: there is no memory
 * for it, and the state goes on with malloc. */
struct luaarena *luaarena_open(lua_State *L);

/* From now on new blocks come from malloc; those in the region stay where they are. NULL is fine.
 */
void luaarena_seal(struct luaarena *arena);

/* The region of a state that has one, else NULL. */
struct luaarena *luaarena_of(lua_State *L);

/* After lua_close. NULL is fine. */
void luaarena_close(struct luaarena *arena);

#endif
