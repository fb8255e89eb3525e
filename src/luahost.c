/* luahost.c - see luahost.h. Everything that can raise a Lua error runs below protected(). */
#include "luahost.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lua-cjson.h>

#include "clock.h"
#include "includes.h"
#include "lualib_redis.h"
#include "lualib_sys.h"
#include "memory.h"
#include "source.h"

#define PARENT_HOOK_LIMIT 5.0 /* seconds */
#define PARENT_HOOK_EVERY 10000 /* instructions between looks at the clock */

/* --- a state -------------------------------------------------------------------------------------------- */

/* A package searcher: receives a module name, returns a loader or the text why not. Upvalues: options, code. */
static int search_embedded(lua_State *L)
{
    const struct options *o = lua_touserdata(L, lua_upvalueindex(1));
    const struct source_place place = {o->lua_path};
    const char *module = luaL_checkstring(L, 1);
    size_t len;
    char *owned = NULL;
    const char *text = luacode_find(lua_touserdata(L, lua_upvalueindex(2)), module, &len);
    const char *mode = text ? "b" : "t";
    if (!text && !(text = source_text(&place, module, &len, &owned))) {
        lua_pushfstring(L, "no embedded module '%s'", module);
        return 1;
    }
    lua_pushfstring(L, "@%s.lua", luaL_gsub(L, module, ".", "/"));
    int status = luaL_loadbufferx(L, text, len, lua_tostring(L, -1), mode);
    free(owned);
    if (status != LUA_OK)
        return lua_error(L);
    return 1;
}

/* Our own modules come right after package.preload, so that no file of the user can stand in for them. */
static void add_searcher(lua_State *L, const struct options *o, const struct luacode *code)
{
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i >= 2; i--) {
        lua_geti(L, -1, i);
        lua_seti(L, -2, i + 1);
    }
    lua_pushlightuserdata(L, (void *)(size_t)o);
    lua_pushlightuserdata(L, (void *)(size_t)code);
    lua_pushcclosure(L, search_embedded, 2);
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

/* Lua seeds from the clock's second and an address: children forked in one second would draw the same numbers. */
static void seed_random(lua_State *L)
{
    lua_Integer seed[2] = {0, 0};
    if (getrandom(seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed[0] = clock_ms() ^ getpid();
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, seed[0]);
    lua_pushinteger(L, seed[1]);
    lua_call(L, 2, 0);
    lua_pop(L, 1);
}

static int prepare(lua_State *L)
{
    const struct options *o = lua_touserdata(L, 1);
    luaL_openlibs(L);
    seed_random(L);
    add_preload(L, "cjson", luaopen_cjson);
    add_preload(L, "resque.sys", luaopen_resque_sys);
    add_preload(L, "resque.net", luaopen_resque_net);
    lualib_sys_set_program(L, o);
    lualib_redis_set_program(L, o);
    add_searcher(L, o, lua_touserdata(L, 2));
    return 0;
}

/* Message handler: the traceback is taken by Lua code where it matters (resque.errors); this is the last net. */
static int add_traceback(lua_State *L)
{
    const char *message = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, message, 1);
    return 1;
}

/* Calls `function` with what lies above it on the stack as arguments. On error one message is left. */
static int protected(lua_State *L, int arguments, int results)
{
    int base = lua_gettop(L) - arguments;
    lua_pushcfunction(L, add_traceback);
    lua_insert(L, base);
    int status = lua_pcall(L, arguments, results, base);
    lua_remove(L, base);
    return status;
}

/* A state with everything a script may use; NULL: `err` says why. */
static lua_State *open_state(const struct options *o, const struct luacode *code, char *err, size_t err_size)
{
    lua_State *L = luaL_newstate();
    if (!L) {
        snprintf(err, err_size, "out of memory");
        return NULL;
    }
    lua_pushcfunction(L, prepare);
    lua_pushlightuserdata(L, (void *)(size_t)o);
    lua_pushlightuserdata(L, (void *)(size_t)code);
    if (protected(L, 2, 0) == LUA_OK)
        return L;
    snprintf(err, err_size, "%s", lua_tostring(L, -1));
    lua_close(L);
    return NULL;
}

/* Upvalue-free: pushes require(module)[name]. */
static void push_function(lua_State *L, const char *module, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

/* --- commands ------------------------------------------------------------------------------------------- */

static int call_command(lua_State *L)
{
    const struct options *o = lua_touserdata(L, 1);
    const char *module = lua_touserdata(L, 2);
    push_function(L, module, "run");
    lua_createtable(L, o->argument_count, 0);
    for (int i = 0; i < o->argument_count; i++) {
        lua_pushstring(L, o->arguments[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_call(L, 1, 1);
    return 1;
}

int luahost_command(const struct options *o, const char *module)
{
    char err[512];
    int code = EXIT_FAILED;
    lua_State *L = open_state(o, NULL, err, sizeof err);
    if (!L) {
        fprintf(stderr, "resque-lua: %s\n", err);
        return code;
    }
    lua_pushcfunction(L, call_command);
    lua_pushlightuserdata(L, (void *)(size_t)o);
    lua_pushlightuserdata(L, (void *)(size_t)module);
    if (protected(L, 2, 1) == LUA_OK)
        code = (int)lua_tointeger(L, -1);
    else
        fprintf(stderr, "resque-lua: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return code;
}

/* --- inside a job's process ----------------------------------------------------------------------------- */

static void set_text(lua_State *L, const char *field, const char *text, size_t len)
{
    lua_pushlstring(L, text, len);
    lua_setfield(L, -2, field);
}

/* Pushes what Lua learns of a job: the raw bytes and what the server read of them. */
static void push_job(lua_State *L, const struct job *job, const char *worker_id)
{
    lua_createtable(L, 0, 5);
    set_text(L, "payload", job->payload, job->payload_len);
    set_text(L, "queue", job->queue, job->queue_len);
    set_text(L, "class", job->class, job->class_len);
    if (job->id[0])
        set_text(L, "id", job->id, strlen(job->id));
    set_text(L, "worker", worker_id, strlen(worker_id));
}

/* sys.report_started(on_failure): upvalues are the place and the job. */
static int report_started(lua_State *L)
{
    const struct luahost_place *place = lua_touserdata(L, lua_upvalueindex(1));
    const struct job *job = lua_touserdata(L, lua_upvalueindex(2));
    if (place->mark)
        memcpy(place->mark, job->token, sizeof job->token);
    if (report_send_started(place->report_fd, lua_toboolean(L, 1), lua_toboolean(L, 2)) < 0)
        return luaL_error(L, "the worker is gone: %s", strerror(errno));
    return 0;
}

/* os.exit(code, close) of a job: 0 is success, as the worker learns by a frame. */
static int job_exit(lua_State *L)
{
    const struct luahost_place *place = lua_touserdata(L, lua_upvalueindex(1));
    int code = lua_isboolean(L, 1) ? (lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE)
                                   : (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
    bool close_state = lua_toboolean(L, 2);
    int fd = place->report_fd;
    if (close_state)
        lua_close(L);
    fflush(NULL);
    report_send_exit(fd, code & 0xff);
    _exit(code & 0xff);
}

static void add_job_functions(lua_State *L, const struct luahost_place *place, const struct job *job)
{
    void *where = (void *)(size_t)place;
    lua_getglobal(L, "require");
    lua_pushliteral(L, "resque.sys");
    lua_call(L, 1, 1);
    lua_pushlightuserdata(L, where);
    lua_pushlightuserdata(L, (void *)(size_t)job);
    lua_pushcclosure(L, report_started, 2);
    lua_setfield(L, -2, "report_started");
    lua_getglobal(L, "os");
    lua_pushlightuserdata(L, where);
    lua_pushcclosure(L, job_exit, 1);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 2);
}

/* The one handler of the program, for TERM_CHILD: a signal can only leave a note, Lua finds it at its next step. */
static lua_State *term_state;

static void raise_term(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_sethook(L, NULL, 0, 0);
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "Resque::TermException");
    lua_setfield(L, -2, "name");
    lua_pushliteral(L, "SIGTERM");
    lua_setfield(L, -2, "message");
    lua_error(L);
}

static void on_term(int signo)
{
    (void)signo;
    lua_sethook(term_state, raise_term, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

static void watch_term(lua_State *L)
{
    struct sigaction action = {.sa_handler = on_term}; /* no SA_RESTART: a sleep or a read is to end */
    term_state = L;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
}

/* Arguments: options, place, job. Results: what resque.runner.run returns. */
static int call_runner(lua_State *L)
{
    const struct luahost_place *place = lua_touserdata(L, 1);
    const struct job *job = lua_touserdata(L, 2);
    add_job_functions(L, place, job);
    push_function(L, "resque.runner", "run");
    push_job(L, job, place->worker_id);
    lua_call(L, 1, 4);
    return 4;
}

/* Results of the runner: "done", json | "load", message | "failed", exception, message, trace. */
static void take_results(lua_State *L, struct luahost_end *end)
{
    const char *kind = lua_tostring(L, -4);
    end->end = !kind                         ? REPORT_NONE
               : strcmp(kind, "done") == 0   ? REPORT_DONE
               : strcmp(kind, "failed") == 0 ? REPORT_FAILED
                                             : REPORT_LOAD;
    for (int i = 0; i < 3; i++) {
        size_t len = 0;
        const char *text = lua_tolstring(L, i - 3, &len);
        end->text[i] = memory_copy(text ? text : "", len);
        if (i == 0)
            end->len = len;
    }
}

void luahost_job(const struct options *o, const struct luahost_place *place, const struct job *job,
                 struct luahost_end *end)
{
    char err[512];
    *end = (struct luahost_end){.end = REPORT_LOAD};
    lua_State *L = open_state(o, place->code, err, sizeof err);
    if (!L) {
        end->text[0] = memory_copy(err, strlen(err));
        return;
    }
    if (place->term_hook)
        watch_term(L);
    lua_pushcfunction(L, call_runner);
    lua_pushlightuserdata(L, (void *)(size_t)place);
    lua_pushlightuserdata(L, (void *)(size_t)job);
    if (protected(L, 2, 4) == LUA_OK) {
        take_results(L, end);
    } else { /* the runner itself broke: no fault of the job */
        const char *message = lua_tostring(L, -1);
        end->text[0] = memory_copy(message, strlen(message));
    }
    if (place->term_hook)
        signal(SIGTERM, SIG_DFL); /* the handler's state is about to go */
    lua_close(L);
}

static int call_on_failure(lua_State *L)
{
    const struct luahost_place *place = lua_touserdata(L, 1);
    push_function(L, "resque.runner", "on_failure");
    push_job(L, lua_touserdata(L, 2), place->worker_id);
    lua_pushstring(L, lua_touserdata(L, 3));
    lua_pushstring(L, lua_touserdata(L, 4));
    lua_call(L, 3, 0);
    return 0;
}

void luahost_on_failure(const struct options *o, const struct luahost_place *place, const struct job *job,
                        const char *exception, const char *message)
{
    char err[512];
    lua_State *L = open_state(o, place->code, err, sizeof err);
    if (!L)
        return;
    lua_pushcfunction(L, call_on_failure);
    lua_pushlightuserdata(L, (void *)(size_t)place);
    lua_pushlightuserdata(L, (void *)(size_t)job);
    lua_pushlightuserdata(L, (void *)(size_t)exception);
    lua_pushlightuserdata(L, (void *)(size_t)message);
    if (protected(L, 4, 0) != LUA_OK)
        fprintf(stderr, "*** onFailure: %s\n", lua_tostring(L, -1));
    lua_close(L);
}

/* --- APP_INCLUDE at start --------------------------------------------------------------------------------- */

static int call_check(lua_State *L)
{
    push_function(L, "resque.runner", "check");
    lua_call(L, 0, 2);
    return 2;
}

int luahost_check(const struct options *o, bool *parent_hooks, char *err, size_t err_size)
{
    lua_State *L = open_state(o, NULL, err, err_size);
    int result = -1;
    if (!L)
        return -1;
    lua_pushcfunction(L, call_check);
    if (protected(L, 0, 2) != LUA_OK) {
        snprintf(err, err_size, "%s", lua_tostring(L, -1));
    } else if (!lua_isnil(L, -1)) {
        snprintf(err, err_size, "%s", lua_tostring(L, -1));
    } else {
        *parent_hooks = lua_toboolean(L, -2);
        result = 0;
    }
    lua_close(L);
    return result;
}

/* --- the worker's own state ------------------------------------------------------------------------------- */

struct luahost_parent {
    lua_State *L;
    uint64_t signature; /* of the files when they were loaded */
};

static int load_parent(lua_State *L)
{
    push_function(L, "resque.parent", "load");
    lua_call(L, 0, 1);
    return 1;
}

struct luahost_parent *luahost_parent_open(const struct options *o, char *err, size_t err_size)
{
    uint64_t signature = includes_signature(o->include);
    lua_State *L = open_state(o, NULL, err, err_size);
    if (!L)
        return NULL;
    lua_pushcfunction(L, load_parent);
    if (protected(L, 0, 1) != LUA_OK || !lua_isnil(L, -1)) {
        snprintf(err, err_size, "%s", luaL_tolstring(L, -1, NULL));
        lua_close(L);
        return NULL;
    }
    struct luahost_parent *p = memory_get(sizeof *p);
    *p = (struct luahost_parent){.L = L, .signature = signature};
    lua_settop(L, 0);
    return p;
}

void luahost_parent_close(struct luahost_parent *p)
{
    if (!p)
        return;
    lua_close(p->L);
    free(p);
}

bool luahost_parent_is_stale(const struct luahost_parent *p, const struct options *o)
{
    return p->signature != includes_signature(o->include);
}

/* Where the count hook finds its deadline: the key's address, in the registry. */
static const char deadline_key;

static void check_deadline(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &deadline_key);
    bool late = clock_ms() > lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (late)
        luaL_error(L, "the hook took longer than %d seconds", (int)PARENT_HOOK_LIMIT);
}

static int call_emit(lua_State *L)
{
    const char *event = lua_touserdata(L, 1), *worker_id = lua_touserdata(L, 2);
    const struct job *job = lua_touserdata(L, 3);
    push_function(L, "resque.parent", "emit");
    lua_pushstring(L, event);
    lua_pushstring(L, worker_id);
    if (job)
        push_job(L, job, worker_id);
    lua_call(L, job ? 3 : 2, 2);
    return 2;
}

int luahost_parent_emit(struct luahost_parent *p, const char *event, const char *worker_id, const struct job *job,
                        char **exception, char **message)
{
    lua_State *L = p->L;
    lua_settop(L, 0);
    lua_pushinteger(L, clock_after(PARENT_HOOK_LIMIT));
    lua_rawsetp(L, LUA_REGISTRYINDEX, &deadline_key);
    lua_sethook(L, check_deadline, LUA_MASKCOUNT, PARENT_HOOK_EVERY);
    lua_pushcfunction(L, call_emit);
    lua_pushlightuserdata(L, (void *)(size_t)event);
    lua_pushlightuserdata(L, (void *)(size_t)worker_id);
    lua_pushlightuserdata(L, (void *)(size_t)job);
    int status = protected(L, 3, 2);
    lua_sethook(L, NULL, 0, 0);
    if (status == LUA_OK && lua_isnil(L, 1))
        return 0;
    const char *name = status == LUA_OK ? lua_tostring(L, 1) : "LuaError";
    const char *text = lua_tostring(L, -1);
    *exception = memory_copy(name, strlen(name));
    *message = memory_copy(text, strlen(text));
    return -1;
}
