/* lualib_sleep.c - see lualib_sleep.h. */
#include "lua/lualib_sleep.h"

#include <lauxlib.h>
#include <stddef.h>
#include <time.h>

static bool (*was_nothing)(void); /* NULL: every signal means something, as in plain lua5.4 */

void lualib_sleep_through(bool (*fn)(void))
{
    was_nothing = fn;
}

/*** Sleeps; a signal ends it early.
@function sleep
@tparam number seconds negative counts as 0
@treturn boolean true: the whole time; false: a signal came */
int lualib_sleep(lua_State *L)
{
    int done;
    lua_Number seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds <= 1e9, 1, "too long (seconds)"); /* nan too */
    if (seconds < 0)
        seconds = 0;
    struct timespec span = {.tv_sec = (time_t)seconds};
    span.tv_nsec = (long)((seconds - (lua_Number)span.tv_sec) * 1e9);
    if (was_nothing)
        was_nothing(); /* what came before */
    do
        done = nanosleep(&span, &span);
    while (done < 0 && was_nothing && was_nothing());
    lua_pushboolean(L, done == 0);
    return 1;
}
