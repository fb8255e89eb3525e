/* needs: lualib_sys.c lualib_json.c lualib_plain.c lualib_sleep.c lualib_includes.c */
/* needs: includes.c folder.c text.c plain.c json_check.c log.c suggest.c memory.c */
/* fuzz_json.c - the exact JSON of jobs (lua/resque/json.lua, in a Lua 5.4 of its own): it reads
 * what the worker's checker lets pass and nothing else, and what it reads and writes comes back the
 * same. The properties themselves are in json.lua beside this file. */
#include <lauxlib.h>
#include <lualib.h>

#include "lualib_sys.h"

#include "fuzz.h"

static lua_State *state; /* one for all inputs; the function of json.lua is on its stack */

static void preload(lua_State *L, const char *module, lua_CFunction open)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, module);
    lua_pop(L, 1);
}

static void must(lua_State *L, int status)
{
    if (status != LUA_OK)
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
    CHECK(status == LUA_OK);
}

static lua_State *open_state(void)
{
    lua_State *L = luaL_newstate();
    CHECK(L);
    luaL_openlibs(L);
    preload(L, "resque.sys", luaopen_resque_sys);
    must(L, luaL_dostring(L, "package.path = './lua/?.lua'"));
    must(L, luaL_loadfile(L, "spec/fuzz/json.lua"));
    must(L, lua_pcall(L, 0, 1, 0));
    return L;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!state)
        state = open_state();
    lua_pushvalue(state, -1);
    lua_pushlstring(state, (const char *)data, size);
    must(state, lua_pcall(state, 1, 0, 0));
    return 0;
}
