/* forked.c - see forked.h. */
#include "forked.h"

#include <lauxlib.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void flush(void)
{
    fflush(NULL);
}

void forked_prepare(void)
{
    static bool done;
    if (!done)
        pthread_atfork(flush, NULL, NULL);
    done = true;
}

int forked_exit_code(lua_State *L)
{
    if (lua_isboolean(L, 1))
        return lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    return (int)luaL_optinteger(L, 1, EXIT_SUCCESS) & 0xff;
}

int forked_leave(lua_State *L)
{
    int code = forked_exit_code(L);
    if (lua_toboolean(L, 2))
        lua_close(L);
    flush();
    _exit(code);
}
