/* interrupt.c - see interrupt.h. */
#include "child/interrupt.h"

#include <lauxlib.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>

#include "child/luathread.h"
#include "child/luatrace.h"
#include "job/raised.h"

#define STEP 1000     /* instructions between two looks at how patient we still are */
#define PATIENCE 1000 /* looks: 10 ms or so, in which a job that caught the error may tidy up */

/* The states of an interrupt, in `pending` and `stage`. `step` is the hook, called while a
 * sys.xpcall is open: at each instruction in FIRST and INSISTING, every STEP of them in PATIENT.
 *
 *             interrupt_raise: a signal
 *     none -------------------------------> FIRST
 *      ^                                      |
 *      |  step of TERM: raises the error      |
 *      |<-------------------------------------+
 *      |  leave: with another error           |
 *      |<-------------------------------------+
 *      |                                      |  step of a limit: raises the error
 *      |                                      v
 *      |  leave: with any error, or well   PATIENT   the job may tidy up
 *      |<-------------------------------------+
 *      |                                      |  PATIENCE steps and switches of coroutines
 *      |                                      v
 *      |  leave: with any error, or well  INSISTING --.
 *      '--------------------------------------+   ^   | step: raises it again
 *                                                 '---'
 *
 * interrupt_raise does nothing unless in `none`, and for a limit that was raised before. */
enum stage { FIRST, PATIENT, INSISTING };

/* Process-wide by nature: signal handlers change it. */
static struct {
    char message[96];
    bool raised; /* a limit is raised once; what follows is its being raised again */
} kinds[INTERRUPT_COUNT];
static volatile sig_atomic_t pending; /* enum interrupt: the first that came counts */
static volatile sig_atomic_t stage;
static int patience;
static int depth; /* how many sys.xpcall are open; 0: nothing is raised */

static const char errors_key; /* its address: where the registry holds the error values, by kind */

/* --- raising --- */

enum limit interrupt_limit(enum interrupt which)
{
    return which == INTERRUPT_TIMEOUT ? LIMIT_TIMEOUT
           : which == INTERRUPT_CPU   ? LIMIT_CPU
                                      : LIMIT_NONE;
}

static const char *name_of(enum interrupt which)
{
    return which == INTERRUPT_TERM ? "Resque::TermException"
                                   : limit_exception(interrupt_limit(which));
}

static int error_text(lua_State *L)
{
    lua_getfield(L, 1, "message");
    return 1;
}

/* Pushes the error value of a kind, which is made once, so that it is known again. */
static void push_error(lua_State *L, enum interrupt which)
{
    luaL_checkstack(L, 5, NULL);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &errors_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, INTERRUPT_COUNT, 0);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &errors_key);
    }
    if (lua_rawgeti(L, -1, which) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 2);
        lua_pushstring(L, name_of(which));
        lua_setfield(L, -2, "name");
        lua_pushstring(L, kinds[which].message);
        lua_setfield(L, -2, "message");
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, error_text);
        lua_setfield(L, -2, "__tostring");
        lua_setmetatable(L, -2);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -3, which);
    }
    lua_remove(L, -2);
}

static void on_event(lua_State *L, lua_Debug *ar);

static void arm(lua_State *L)
{
    if (stage == FIRST)
        lua_sethook(L, on_event, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
    else
        lua_sethook(L, on_event, LUA_MASKCOUNT, stage == PATIENT ? STEP : 1);
}

static void lose_patience(void)
{
    if (stage == PATIENT && --patience <= 0)
        stage = INSISTING;
}

/* Moves the hook to the thread that runs now. A switch uses up patience as well, since it begins
 * the count of instructions anew. */
static void follow(lua_State *L)
{
    lose_patience();
    arm(L);
}

static void disarm(lua_State *L)
{
    luathread_follow(NULL);
    lua_sethook(L, NULL, 0, 0);
    pending = INTERRUPT_NONE;
}

/* The hook: `step` in the picture. */
static void on_event(lua_State *L, lua_Debug *ar)
{
    enum interrupt which = (enum interrupt)pending;
    (void)ar;
    if (!which) { /* a coroutine that was not running when it was over */
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    if (!depth)
        return;
    lose_patience();
    if (stage == PATIENT)
        return;
    if (stage == FIRST) {
        luatrace_record(luathread_running());
        kinds[which].raised = true;
        stage = PATIENT;
        patience = PATIENCE;
    }
    if (which == INTERRUPT_TERM) {
        disarm(L);
    } else {
        arm(L);
        raised_note(interrupt_limit(which));
    }
    push_error(L, which);
    lua_error(L);
}

/* --- signals --- */

void interrupt_raise(enum interrupt which)
{
    const struct luathread *thread = luathread_running();
    if (!thread || pending || (which != INTERRUPT_TERM && kinds[which].raised))
        return;
    stage = FIRST;
    pending = which;
    luathread_follow(follow);
    arm(thread->L);
}

bool interrupt_pending(void)
{
    return pending != INTERRUPT_NONE;
}

void interrupt_say(enum interrupt which, const char *message)
{
    snprintf(kinds[which].message, sizeof kinds[which].message, "%s", message);
}

/* --- sys.xpcall --- */

/* Calls the message handler, upvalue 1, undisturbed. */
static int handle(lua_State *L)
{
    depth = 0;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

/* Called when a sys.xpcall ends. A pending interrupt is over at depth 1, where the runner alone is
 * left (its sys.xpcall around the job's whole life), and at depth 0, outside of that: the error has
 * arrived, or the job came to its own end. Deeper ones, of hooks that the job calls, leave it be.
 */
static int leave(lua_State *L, int status, lua_KContext outer)
{
    bool well = status == LUA_OK || status == LUA_YIELD;
    depth = (int)outer;
    if (pending && depth <= 1 && (!well || stage != FIRST))
        disarm(L);
    if (well)
        return lua_gettop(L) - 2;
    lua_pushboolean(L, false);
    lua_pushvalue(L, -2);
    return 2;
}

/* As Lua's xpcall. */
static int guarded(lua_State *L)
{
    int top = lua_gettop(L), outer = depth++;
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, handle, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, true);
    lua_pushvalue(L, 1);
    lua_rotate(L, 3, 2);
    return leave(L, lua_pcallk(L, top - 2, LUA_MULTRET, 2, outer, leave), outer);
}

void interrupt_install(lua_State *L)
{
    lua_pushcfunction(L, guarded);
    lua_setfield(L, -2, "xpcall");
}

enum interrupt interrupt_of(lua_State *L, int index)
{
    int which = 0;
    index = lua_absindex(L, index);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &errors_key) == LUA_TTABLE) {
        for (which = INTERRUPT_COUNT - 1; which > 0; which--) {
            lua_rawgeti(L, -1, which);
            bool same = lua_rawequal(L, -1, index);
            lua_pop(L, 1);
            if (same)
                break;
        }
    }
    lua_pop(L, 1);
    return (enum interrupt)which;
}
