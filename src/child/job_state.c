/* job_state.c - see job_state.h. */
#include "child/job_state.h"

#include <errno.h>
#include <lauxlib.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/stopat.h"
#include "child/joblimits.h"
#include "child/luathread.h"
#include "job/limit.h"
#include "job/raised.h"
#include "job/report.h"
#include "lua/forked.h"
#include "lua/luaarena.h"
#include "lua/luaborrowed.h"
#include "lua/luastate.h"
#include "os/confine.h"

/* The end of the process, as its last finalizer sends it. */
struct last_word {
    const struct job_context *context; /* NULL: nothing is sent */
    enum report_kind kind;
    int exit_code;
    const char *text[4]; /* DONE: JSON; LOAD: message; FAILED: exception, message, trace, limit */
    size_t len;          /* of text[0] */
};

/* --- the end --- */

static bool is_the_job(const struct job_context *context)
{
    return getpid() == context->pid;
}

/* The pipe for reports; -1 if the script closed it, or in a process that the job has forked. */
static int report_pipe(const struct job_context *context)
{
    struct stat now;
    bool ours = is_the_job(context) && fstat(context->report_fd, &now) == 0 &&
                S_ISFIFO(now.st_mode) && now.st_ino == context->report_inode;
    return ours ? context->report_fd : -1;
}

static _Noreturn void leave(const struct last_word *e)
{
    fflush(NULL);
    if (e->context && !is_the_job(e->context))
        _exit(e->exit_code);
    STOP_AT("result");
    int fd = e->context ? report_pipe(e->context) : -1;
    if (fd >= 0 && e->kind == REPORT_DONE)
        report_send_done(fd, e->text[0], e->len);
    else if (fd >= 0 && e->kind == REPORT_FAILED)
        report_send_failed(fd, e->text[0], e->text[1], e->text[2], e->text[3]);
    else if (fd >= 0 && e->kind == REPORT_LOAD)
        report_send_load(fd, e->text[0]);
    else if (fd >= 0 && e->kind == REPORT_EXIT)
        report_send_exit(fd, e->exit_code);
    STOP_AT("reported");
    _exit(e->exit_code);
}

/* Its address: where the registry holds the struct last_word, once there is one. */
static const char ending_key;

/* __gc of an object that was made before any of the user's: lua_close calls it after all of theirs.
 * It ends the process: lua_close would only go on to free memory piece by piece, in pages that
 * would be copied for it. */
static int last_finalizer(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ending_key);
    const struct last_word *e = lua_touserdata(L, -1);
    if (e)
        leave(e);
    return 0; /* a prepared state that is thrown away */
}

static _Noreturn void end_process(lua_State *L, const struct last_word *e)
{
    luathread_end();
    luaborrowed_push(L, e);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ending_key);
    lua_close(L);
    leave(e); /* a script dug out the finalizer and removed it */
}

/* --- functions that only a job has --- */

/* The running job, upvalue 1 of these functions. They are made before the fork, so that no job pays
 * for it; `context` is NULL until a job runs, and where only onFailure is called. */
struct running {
    const struct job_context *context;
    const struct job *job;
};

/* Its address: where the registry holds the struct running. */
static const char running_key;

static const struct running *the_job(lua_State *L)
{
    const struct running *running = lua_touserdata(L, lua_upvalueindex(1));
    if (!running->context)
        luaL_error(L, "no job runs in this process");
    return running;
}

/* A NUL would end the text for everybody behind the pipe; it becomes a '?', as bad UTF-8 does. */
static char *copy_text(lua_State *L, int index, size_t *len)
{
    const char *text = lua_tolstring(L, index, len);
    char *copy = memory_copy(text ? text : "", text ? *len : (*len = 0));
    for (char *nul; (nul = memchr(copy, '\0', *len));)
        *nul = '?';
    return copy;
}

/* sys.report_started(on_failure, parent_hooks). */
static int report_started(lua_State *L)
{
    const struct job_context *context = the_job(L)->context;
    const struct job *job = the_job(L)->job;
    if (context->started_token && is_the_job(context))
        memcpy(context->started_token, job->token, sizeof job->token);
    STOP_AT("token");
    if (report_send_started(report_pipe(context), lua_toboolean(L, 1), lua_toboolean(L, 2)) < 0)
        return luaL_error(L, "the worker is gone: %s", strerror(errno));
    STOP_AT("started");
    joblimits_start(L, context->options);
    return 0;
}

/* sys.policy(timeout, memory, cpu, requeue) of the job's table, as struct job_policy has them. */
static int change_policy(lua_State *L)
{
    const struct job_context *context = the_job(L)->context;
    lua_Integer memory = luaL_checkinteger(L, 2);
    const struct job_policy own = {.timeout = luaL_checknumber(L, 1),
                                   .memory = memory < 0 ? SIZE_MAX : (size_t)memory,
                                   .cpu = luaL_checknumber(L, 3),
                                   .requeue = (int)luaL_checkinteger(L, 4)};
    joblimits_change(L, &own);
    report_send_policy(report_pipe(context), &own);
    return 0;
}

/* sys.report_failed(exception, message, trace, limit, telling): the job has failed whatever its
 * tearDown or onFailure do, as the first ending that the worker reads counts. telling: onFailure is
 * next, so the worker need not call it. */
static int report_failed(lua_State *L)
{
    const struct job_context *context = the_job(L)->context;
    char *text[4];
    size_t len;
    for (int i = 0; i < 4; i++)
        text[i] = copy_text(L, i + 1, &len);
    int fd = report_pipe(context);
    report_send_failed(fd, text[0], text[1], text[2], text[3]);
    if (lua_toboolean(L, 5))
        report_send_telling(fd);
    for (int i = 0; i < 4; i++)
        free(text[i]);
    return 0;
}

/* sys.report_unknown(): the job's class was not found. Returns whether the job is spared, so that
 * it has not failed. */
static int report_unknown(lua_State *L)
{
    const struct job_context *context = the_job(L)->context;
    report_send_unknown(report_pipe(context));
    lua_pushboolean(L, context->spare_unknown);
    return 1;
}

/* sys.confine_calls(): allows only the system calls of SANDBOX=strict from now on. */
static int confine_job(lua_State *L)
{
    const struct job_context *context = the_job(L)->context;
    char why[CONFINE_WHY];
    return confine_calls_now(context->confine, why) < 0 ? luaL_error(L, "%s", why) : 0;
}

/* os.exit(code, close) of a job: 0 is success, as the worker learns by a frame. Upvalue: context.
 */
static int job_exit(lua_State *L)
{
    const struct job_context *context = lua_touserdata(L, lua_upvalueindex(1));
    static struct last_word
        e; /* the stack may be a coroutine's, and lua_close is about to free it */
    e = (struct last_word){
        .context = context, .kind = REPORT_EXIT, .exit_code = forked_exit_code(L)};
    if (lua_toboolean(L, 2))
        end_process(L, &e);
    leave(&e);
}

static const luaL_Reg job_functions[] = {
    {"report_started", report_started}, {"report_failed", report_failed},
    {"report_unknown", report_unknown}, {"policy", change_policy},
    {"confine_calls", confine_job},     {NULL, NULL}};

/* Adds these functions to resque.sys. */
static void add_job_functions(lua_State *L)
{
    luastate_push_module(L, "resque.sys");
    struct running *running = lua_newuserdatauv(L, sizeof *running, 0);
    *running = (struct running){0};
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &running_key);
    luaL_setfuncs(L, job_functions, 1);
    lua_pop(L, 1);
}

static void begin_job(lua_State *L, const struct job_context *context, const struct job *job)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &running_key);
    struct running *running = lua_touserdata(L, -1);
    *running = (struct running){context, job};
    lua_getglobal(L, "os");
    luaborrowed_push(L, context);
    lua_pushcclosure(L, job_exit, 1);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 2);
}

/* --- before the fork --- */

static int load_modules(lua_State *L)
{
    const struct options *options = lua_touserdata(L, 1);
    static const char *const modules[] = {"resque", "resque.queue", "resque.status",
                                          "resque.connection"};
    luathread_install(L);
    joblimits_install(L, options);
    add_job_functions(L);
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        luastate_push_module(L, modules[i]);
        lua_pop(L, 1);
    }
    luastate_push_function(L, "resque.job.runner", "prepare");
    lua_call(L, 0, 0);
    lua_newuserdatauv(L, 0, 0);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, last_finalizer);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

lua_State *job_state_prepare(const struct options *options, char *err, size_t err_size)
{
    lua_State *L = luastate_open_in_arena(options, LUASTATE_JOB, err, err_size);
    if (!L)
        return NULL;
    lua_pushcfunction(L, load_modules);
    luaborrowed_push(L, options);
    if (luastate_call(L, 1, 0) != LUA_OK) {
        snprintf(err, err_size, "%s", lua_tostring(L, -1));
        luastate_close(L);
        return NULL;
    }
    lua_gc(L, LUA_GCCOLLECT, 0);
    luaarena_seal(luaarena_of(L));
    return L;
}

void job_state_discard(lua_State *prepared)
{
    if (prepared)
        luastate_close(prepared);
}

/* --- one job --- */

/* Arguments: context, job. Results: what resque.job.runner.run returns. */
static int call_runner(lua_State *L)
{
    const struct job_context *context = lua_touserdata(L, 1);
    const struct job *job = lua_touserdata(L, 2);
    luastate_seed(L);
    begin_job(L, context, job);
    luastate_push_function(L, "resque.job.runner", "run");
    luastate_push_job(L, job, context->worker_id);
    lua_call(L, 1, 5);
    return 5;
}

/* The runner's results: "done", json | "load", message | "failed", exception, message, trace,
 * limit. */
static void take_results(lua_State *L, struct last_word *e)
{
    const char *kind = lua_tostring(L, -5);
    size_t len;
    e->kind = strcmp(kind, "done") == 0     ? REPORT_DONE
              : strcmp(kind, "failed") == 0 ? REPORT_FAILED
                                            : REPORT_LOAD;
    e->text[0] = copy_text(L, -4, &e->len);
    if (e->kind == REPORT_DONE && e->len > REPORT_BODY_MAX)
        log_warn("the result of perform is not kept: it is larger than 1 MB");
    for (int i = 1; i < 4; i++)
        e->text[i] = copy_text(L, i - 4, &len);
}

/* The runner raised an error. "not enough memory" at the job's limit is the job's failure, which
 * the runner had no memory to tell. Any other error is ours: reported as LOAD, the job goes back
 * unless it had started. */
static void take_breakdown(lua_State *L, int status, struct last_word *e)
{
    static char refusal[LIMIT_TEXT];
    if (status == LUA_ERRMEM && joblimits_refused(refusal)) {
        e->kind = REPORT_FAILED;
        e->text[0] = limit_exception(LIMIT_MEMORY);
        e->text[1] = refusal;
        e->text[2] = "";
        e->text[3] = limit_name(LIMIT_MEMORY);
        return;
    }
    e->kind = REPORT_LOAD;
    e->text[0] = copy_text(L, -1, &e->len);
}

/* Resets the locale, which a hook of the worker may have set: every Lua begins without one. */
static void reset_locale(void)
{
    if (uselocale(NULL) == LC_GLOBAL_LOCALE) /* the worker has no hooks */
        return;
    setlocale(LC_ALL, "C");
    uselocale(LC_GLOBAL_LOCALE);
}

void job_state_run(const struct job_context *context, const struct job *job)
{
    lua_State *L = context->prepared;
    struct last_word e = {.context = context};
    reset_locale();
    STOP_AT("load");
    raised_open(context->raised);
    lua_pushcfunction(L, call_runner);
    luaborrowed_push(L, context);
    luaborrowed_push(L, job);
    int status = luastate_call(L, 2, 5);
    if (status == LUA_OK)
        take_results(L, &e);
    else
        take_breakdown(L, status, &e);
    end_process(L, &e);
}

static int call_on_failure(lua_State *L)
{
    const struct job_context *context = lua_touserdata(L, 1);
    luastate_seed(L);
    luastate_push_function(L, "resque.job.runner", "on_failure");
    luastate_push_job(L, lua_touserdata(L, 2), context->worker_id);
    lua_pushstring(L, lua_touserdata(L, 3));
    lua_pushstring(L, lua_touserdata(L, 4));
    lua_call(L, 3, 0);
    return 0;
}

void job_state_on_failure(const struct job_context *context, const struct job *job,
                          const char *exception, const char *message)
{
    lua_State *L = context->prepared;
    struct last_word e = {0};
    reset_locale();
    lua_pushcfunction(L, call_on_failure);
    luaborrowed_push(L, context);
    luaborrowed_push(L, job);
    luaborrowed_push(L, exception);
    luaborrowed_push(L, message);
    if (luastate_call(L, 4, 0) != LUA_OK)
        fprintf(stderr, "*** onFailure: %s\n", lua_tostring(L, -1));
    end_process(L, &e);
}
