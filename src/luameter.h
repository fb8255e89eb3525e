/* luameter.h - a limit on the memory of one Lua state: beyond it Lua collects its garbage, and if
 * that does not help raises "not enough memory". */
#ifndef LUAMETER_H
#define LUAMETER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct luameter {
    lua_Alloc next; /* who allocates */
    void *where;
    size_t used, limit; /* bytes */
    bool refused;       /* since somebody set it to false; luatrace has the place */
};

/* The state allocates through the meter from now on; what it has already counts. The meter must
 * outlive the state. `limit` may be changed at any time. */
void luameter_start(struct luameter *m, lua_State *L, size_t limit);

#endif
