/* scribble.c - a Lua module for a job that writes over all the memory it shares with others:
 * scribble(). */
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

int luaopen_scribble(lua_State *L);

static int scribble(lua_State *L)
{
    char line[512], rights[8];
    uintptr_t from, to;
    int areas = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, rights) == 3 &&
            strcmp(rights, "rw-s") == 0) {
            memset((char *)from, 'x', to - from);
            areas++;
        }
    if (maps)
        fclose(maps);
    lua_pushinteger(L, areas);
    return 1;
}

int luaopen_scribble(lua_State *L)
{
    lua_pushcfunction(L, scribble);
    return 1;
}
