/* forking.c - a Lua module of the system calls of lua-posix, which Debian 12 does not have for Lua
 * 5.4: fork() is the process id, 0 in the new process; wait(pid) is its exit code, or minus the
 * signal that ended it; leave() is _exit(0). */
#include <lauxlib.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_forking(lua_State *L);

static int make(lua_State *L)
{
    lua_pushinteger(L, fork());
    return 1;
}

static int await(lua_State *L)
{
    int status = 0;
    waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0);
    lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    return 1;
}

static int leave(lua_State *L)
{
    (void)L;
    _exit(0);
}

int luaopen_forking(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"fork", make}, {"wait", await}, {"leave", leave}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
