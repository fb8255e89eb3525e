/* luahost_parent.c - a worker's own Lua state, for beforeFirstFork and beforeFork. See luahost.h.
 */
#include <lauxlib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/plain.h"
#include "lua/luaborrowed.h"
#include "lua/luahost.h"
#include "lua/luastate.h"
#include "lua/luatextonly.h"
#include "os/guard.h"
#include "os/watched.h"

#define LIMIT 5.0        /* seconds that a hook may take */
#define LOOK_EVERY 10000 /* instructions between looks at the clock */
#define LAST_RESORT 7    /* seconds; then the worker ends, see guard.h */
#define LOAD_LIMIT 60    /* the same while files are loaded, and while a state is closed */

struct luahost_parent {
    lua_State *L;
    struct watched files; /* those that loading, or a hook, has read */
};

/* Begins a call of scripts, in which the worker hears no signal. A hook that ignores check_deadline
 * (it sleeps in C, or catches every error) must not keep the worker for ever: the guard ends it,
 * its manager puts the job back and starts another.
 *
 * A locale that a script sets is the scripts' own: the worker goes on without it between calls. */
static void enter_scripts(unsigned seconds)
{
    uselocale(LC_GLOBAL_LOCALE);
    guard_begin(seconds);
}

static void leave_scripts(void)
{
    guard_end();
    uselocale(plain_locale());
}

static int call_load(lua_State *L)
{
    luatextonly_watch(L, lua_touserdata(L, 1));
    luastate_push_function(L, "resque.job.parent", "load");
    lua_call(L, 0, 1);
    return 1;
}

struct luahost_parent *luahost_parent_open(const struct options *options, char *err,
                                           size_t err_size)
{
    lua_State *L = luastate_open(options, LUASTATE_WORKER, err, err_size);
    if (!L)
        return NULL;
    struct luahost_parent *p = memory_get(sizeof *p);
    p->L = L;
    enter_scripts(LOAD_LIMIT);
    lua_pushcfunction(L, call_load);
    lua_pushlightuserdata(L, &p->files);
    bool loaded = luastate_call(L, 1, 1) == LUA_OK && lua_isnil(L, -1);
    leave_scripts();
    if (loaded)
        return p;
    snprintf(err, err_size, "%s", luaL_tolstring(L, -1, NULL));
    luahost_parent_close(p);
    return NULL;
}

void luahost_parent_close(struct luahost_parent *p)
{
    if (!p)
        return;
    enter_scripts(LOAD_LIMIT);
    lua_close(p->L);
    leave_scripts();
    watched_clear(&p->files);
    free(p);
}

bool luahost_parent_is_stale(const struct luahost_parent *p)
{
    return watched_changed(&p->files);
}

static const char deadline_key; /* its address: where the registry holds the deadline */

static void check_deadline(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &deadline_key);
    bool late = clock_ms() > lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (late)
        luaL_error(L, "the hook took longer than %d seconds", (int)LIMIT);
}

static int call_emit(lua_State *L)
{
    const char *worker_id = lua_touserdata(L, 2);
    const struct job *job = lua_touserdata(L, 3);
    luastate_push_function(L, "resque.job.parent", "emit");
    lua_pushstring(L, lua_touserdata(L, 1));
    lua_pushstring(L, worker_id);
    if (job)
        luastate_push_job(L, job, worker_id);
    lua_call(L, job ? 3 : 2, 2);
    return 2;
}

int luahost_parent_emit(struct luahost_parent *p, const char *event, const char *worker_id,
                        const struct job *job, char **exception, char **message)
{
    lua_State *L = p->L;
    lua_settop(L, 0);
    lua_pushinteger(L, clock_after(LIMIT));
    lua_rawsetp(L, LUA_REGISTRYINDEX, &deadline_key);
    lua_sethook(L, check_deadline, LUA_MASKCOUNT, LOOK_EVERY);
    lua_pushcfunction(L, call_emit);
    luaborrowed_push(L, event);
    luaborrowed_push(L, worker_id);
    luaborrowed_push(L, job);
    enter_scripts(LAST_RESORT);
    int status = luastate_call(L, 3, 2);
    leave_scripts();
    lua_sethook(L, NULL, 0, 0);
    if (status == LUA_OK && lua_isnil(L, 1))
        return 0;
    const char *name = status == LUA_OK ? lua_tostring(L, 1) : "LuaError";
    const char *text = lua_tostring(L, -1);
    *exception = memory_copy(name, strlen(name));
    *message = memory_copy(text, strlen(text));
    return -1;
}
