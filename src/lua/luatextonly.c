/* luatextonly.c - see luatextonly.h. The functions are those of Lua 5.4's lbaselib.c and loadlib.c,
 * but for the mode. */
#include "lua/luatextonly.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#define LUA_SEARCHER 2 /* where package.searchers has the one that looks along package.path */
#define PIECE_SLOT 5   /* of load's stack: keeps the piece that is being read alive */

/* The mode at `index` without 'b'. A mode that allows nothing else refuses everything. */
static const char *text_mode(lua_State *L, int index)
{
    const char *mode = luaL_optstring(L, index, "t");
    return strchr(mode, 't') ? "t" : "";
}

/* Makes the results of load and loadfile. `env`: stack index of the environment; 0: none given. */
static int loaded(lua_State *L, int status, int env)
{
    if (status != LUA_OK) {
        luaL_pushfail(L);
        lua_insert(L, -2);
        return 2;
    }
    if (env) {
        lua_pushvalue(L, env);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

/* lua_Reader: the next piece from the function at 1. */
static const char *read_piece(lua_State *L, void *unused, size_t *size)
{
    (void)unused;
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        *size = 0;
        return NULL;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "reader function must return a string");
    lua_replace(L, PIECE_SLOT);
    return lua_tolstring(L, PIECE_SLOT, size);
}

/* load(chunk [, chunkname [, mode [, env]]]) */
static int text_load(lua_State *L)
{
    size_t len;
    const char *text = lua_tolstring(L, 1, &len), *mode = text_mode(L, 3);
    int env = lua_isnone(L, 4) ? 0 : 4;
    const char *name = luaL_optstring(L, 2, text ? text : "=(load)");
    if (text)
        return loaded(L, luaL_loadbufferx(L, text, len, name, mode), env);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, PIECE_SLOT);
    return loaded(L, lua_load(L, read_piece, NULL, name, mode), env);
}

static const char watched_key; /* its address: where the registry holds the struct watched */

void luatextonly_watch(lua_State *L, struct watched *files)
{
    lua_pushlightuserdata(L, files);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &watched_key);
}

/* luaL_loadfilex for text. `file` NULL: standard input. */
static int load_file(lua_State *L, const char *file, const char *mode)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &watched_key);
    struct watched *files = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (files && file)
        watched_add(files, file);
    return luaL_loadfilex(L, file, mode);
}

/* loadfile([filename [, mode [, env]]]) */
static int text_loadfile(lua_State *L)
{
    const char *file = luaL_optstring(L, 1, NULL), *mode = text_mode(L, 2);
    int env = lua_isnone(L, 3) ? 0 : 3;
    return loaded(L, load_file(L, file, mode), env);
}

static int all_results(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

/* dofile([filename]) */
static int text_dofile(lua_State *L)
{
    const char *file = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (load_file(L, file, "t") != LUA_OK)
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, all_results);
    return all_results(L, LUA_OK, 0);
}

/* A package searcher: receives a module name, returns a loader and its file, or the text why not.
 * Upvalues: package, package.searchpath as it was at the start. */
static int search_path(lua_State *L)
{
    const char *module = luaL_checkstring(L, 1);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushvalue(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING)
        return luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2);
    const char *file = lua_tostring(L, -2);
    if (!file)
        return 1;
    lua_pop(L, 1);
    if (load_file(L, file, "t") != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", module, file,
                          lua_tostring(L, -1));
    lua_insert(L, -2);
    return 2;
}

static void replace_searcher(lua_State *L)
{
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -2);
    lua_getfield(L, -1, "searchpath");
    lua_pushcclosure(L, search_path, 2);
    lua_rawseti(L, -2, LUA_SEARCHER);
    lua_pop(L, 2);
}

void luatextonly_open(lua_State *L)
{
    lua_register(L, "load", text_load);
    lua_register(L, "loadfile", text_loadfile);
    lua_register(L, "dofile", text_dofile);
    replace_searcher(L);
}
