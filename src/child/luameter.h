/* luameter.h - a limit on the memory of one Lua state: beyond it Lua collects its garbage, and if
 * that does not help raises "not enough memory". */
#ifndef LUAMETER_H
#define LUAMETER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct luameter {
    lua_Alloc next; /* the allocator that the state had before, and its argument */
    void *where;
    size_t used, limit; /* bytes */
    bool refused;       /* a request was; the caller sets it back. luatrace has the place */
    void (*tell)(bool refused);
    struct {
        const void *block; /* of the last request that was refused, until another one comes */
        size_t old, size;  /* 0: none */
    } asked;
};

/* The state allocates through the meter from now on; what it has already counts. The meter must
 * outlive the state. `limit` may be changed at any time. `tell` (NULL: nobody) hears of each
 * request that is refused and, with false, that it was not for good: Lua got it once it had
 * collected its garbage. */
void luameter_start(struct luameter *m, lua_State *L, size_t limit, void (*tell)(bool refused));

#endif
