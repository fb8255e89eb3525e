/* luastate.c - see luastate.h. */
#include "lua/luastate.h"

#include <lauxlib.h>
#include <lua-cjson.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plain.h"
#include "base/source.h"
#include "lua/forked.h"
#include "lua/luaarena.h"
#include "lua/luaborrowed.h"
#include "lua/luaglobals.h"
#include "lua/lualib_json.h"
#include "lua/lualib_redis.h"
#include "lua/lualib_sys.h"
#include "lua/luatextonly.h"

/* A package searcher: receives a module name, returns a loader or the text why not. Upvalue 1: the
 * options. */
static int search_embedded(lua_State *L)
{
    const struct options *options = lua_touserdata(L, lua_upvalueindex(1));
    const struct source_context context = {options->scripts.lua_path};
    const char *module = luaL_checkstring(L, 1);
    size_t len;
    char *owned;
    const char *text = source_text(&context, module, &len, &owned);
    if (!text) {
        lua_pushfstring(L, "no embedded module '%s'", module);
        return 1;
    }
    lua_pushfstring(L, "@%s.lua", luaL_gsub(L, module, ".", "/"));
    locale_t scripts = uselocale(plain_locale()); /* not every one can read `0.1` */
    int status = luaL_loadbufferx(L, text, len, lua_tostring(L, -1), "t");
    uselocale(scripts);
    free(owned);
    if (status != LUA_OK)
        return lua_error(L);
    luaglobals_give(L);
    return 1;
}

/* Our own modules come right after package.preload, so that no file of the user can stand in for
 * them. */
static void add_searcher(lua_State *L, const struct options *options)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {
        lua_geti(L, -1, i);
        lua_seti(L, -2, i + 1);
    }
    luaborrowed_push(L, options);
    lua_pushcclosure(L, search_embedded, 1);
    lua_seti(L, -2, 2);
    lua_pop(L, 2);
}

static void add_preload(lua_State *L, const char *module, lua_CFunction open)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, module);
    lua_pop(L, 1);
}

/* Seeds from the kernel. Lua's seed is the clock's second and an address: children forked in one
 * second would draw the same numbers. */
void luastate_seed(lua_State *L)
{
    lua_Integer seed[2] = {0, 0};
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed[0] = clock_ms() ^ getpid();
    luaglobals_push(L, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, seed[0]);
    lua_pushinteger(L, seed[1]);
    lua_call(L, 2, 0);
    lua_pop(L, 1);
}

static const char *const where_names[] = {
    [LUASTATE_JOB] = "job", [LUASTATE_WORKER] = "worker", [LUASTATE_COMMAND] = "command"};

/* Prepares a state. Arguments: the options, the text of sys.where. */
static int prepare(lua_State *L)
{
    const struct options *options = lua_touserdata(L, 1);
    luaL_openlibs(L);
    luatextonly_open(L);
    add_preload(L, "cjson", luaopen_cjson);
    add_preload(L, "resque.sys", luaopen_resque_sys);
    add_preload(L, "resque.sys.json", luaopen_resque_sys_json);
    add_preload(L, "resque.net", luaopen_resque_net);
    lualib_sys_set_program(L, options);
    lualib_redis_set_program(L, options);
    add_searcher(L, options);
    forked_open(L);
    luaglobals_keep(L);
    luastate_seed(L);
    luastate_push_module(L, "resque.sys");
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, "where");
    lua_pushcfunction(L, forked_leave);
    lua_setfield(L, -2, "leave");
    return 0;
}

/* Message handler of the last resort: tracebacks for people are made in Lua (resque.errors). */
static int add_traceback(lua_State *L)
{
    const char *message = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, message, 1);
    return 1;
}

int luastate_call(lua_State *L, int arguments, int results)
{
    int base = lua_gettop(L) - arguments;
    lua_pushcfunction(L, add_traceback);
    lua_insert(L, base);
    int status = lua_pcall(L, arguments, results, base);
    lua_remove(L, base);
    return status;
}

/* Prepares a state that was just made; closes it on failure. */
static lua_State *fill(lua_State *L, const struct options *options, enum luastate_where where,
                       char *err, size_t err_size)
{
    lua_pushcfunction(L, prepare);
    luaborrowed_push(L, options);
    lua_pushstring(L, where_names[where]);
    if (luastate_call(L, 2, 0) == LUA_OK)
        return L;
    snprintf(err, err_size, "%s", lua_tostring(L, -1));
    luastate_close(L);
    return NULL;
}

static lua_State *new_state(char *err, size_t err_size)
{
    lua_State *L = luaL_newstate();
    if (!L)
        snprintf(err, err_size, "out of memory");
    return L;
}

lua_State *luastate_open(const struct options *options, enum luastate_where where, char *err,
                         size_t err_size)
{
    lua_State *L = new_state(err, err_size);
    return L ? fill(L, options, where, err, err_size) : NULL;
}

lua_State *luastate_open_in_arena(const struct options *options, enum luastate_where where,
                                  char *err, size_t err_size)
{
    lua_State *L = new_state(err, err_size);
    if (L)
        luaarena_open(L);
    return L ? fill(L, options, where, err, err_size) : NULL;
}

void luastate_close(lua_State *L)
{
    struct luaarena *arena = luaarena_of(L);
    lua_close(L);
    luaarena_close(arena);
}

void luastate_push_module(lua_State *L, const char *module)
{
    luaglobals_push(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
}

void luastate_push_function(lua_State *L, const char *module, const char *name)
{
    luastate_push_module(L, module);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static void set_text(lua_State *L, const char *field, const char *text, size_t len)
{
    lua_pushlstring(L, text, len);
    lua_setfield(L, -2, field);
}

void luastate_push_job(lua_State *L, const struct job *job, const char *worker_id)
{
    lua_createtable(L, 0, 7);
    set_text(L, "payload", job->payload, job->payload_len);
    set_text(L, "queue", job->queue, job->queue_len);
    set_text(L, "class", job->class, job->class_len);
    if (job->id[0])
        set_text(L, "id", job->id, strlen(job->id));
    set_text(L, "worker", worker_id, strlen(worker_id));
    set_text(L, "token", job->token, strlen(job->token));
    lua_pushinteger(L, job->attempts);
    lua_setfield(L, -2, "attempts");
}
