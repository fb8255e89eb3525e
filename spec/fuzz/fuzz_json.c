/* needs: lua/lualib_sys.c lua/lualib_json.c lua/lualib_plain.c lua/lualib_sleep.c */
/* needs: lua/lualib_includes.c options/include_list.c os/folder.c base/text.c base/plain.c */
/* needs: base/json_check.c base/log.c base/suggest.c base/memory.c */
/* fuzz_json.c - the exact JSON of jobs (lua/resque/json.lua, in a Lua 5.4 of its own): it reads
 * what the worker's checker lets pass and nothing else, and what it reads and writes comes back the
 * same. The properties themselves are in json.lua beside this file. */
#include <lauxlib.h>
#include <lualib.h>

#include "lua/lualib_json.h"
#include "lua/lualib_sys.h"

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
    preload(L, "resque.sys.json", luaopen_resque_sys_json);
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
