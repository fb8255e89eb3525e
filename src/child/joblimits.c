/* joblimits.c - see joblimits.h. */
#include "child/joblimits.h"

#include <lauxlib.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "child/interrupt.h"
#include "child/jobsignals.h"
#include "child/luameter.h"
#include "child/luatrace.h"
#include "job/deadline.h"
#include "job/limit.h"
#include "job/raised.h"
#include "lua/luastate.h"

/* Bytes beyond the limit, so that a failure for want of memory can be told and tidied up. */
#define RELIEF (1u << 20)
/* Bytes of address space for C modules and their threads. */
#define MODULES_ROOM ((rlim_t)64 << 20)

/* Process-wide by nature: one process runs one job, in one Lua state. */
static struct luameter meter;
static size_t allowed; /* bytes, as the job or the worker says it */
static bool relieved;

/* --- the system's own limits --- */

/* A sanitizer reserves terabytes of address space. */
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SPACE_IS_FREE true
#else
#define ADDRESS_SPACE_IS_FREE false
#endif

/* Sets the soft limit, never above the one that the program was started with. */
static void set_rlimit(__rlimit_resource_t resource, rlim_t inherited, rlim_t value)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0)
        return;
    limit.rlim_cur = value < inherited ? value : inherited;
    setrlimit(resource, &limit);
}

static rlim_t inherited_rlimit(__rlimit_resource_t resource)
{
    struct rlimit limit;
    return getrlimit(resource, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

/* Bytes of address space in use; 0 if the kernel does not tell. */
static rlim_t address_space(void)
{
    unsigned long pages = 0;
    FILE *statm = fopen("/proc/self/statm", "re");
    if (!statm)
        return 0;
    if (fscanf(statm, "%lu", &pages) != 1)
        pages = 0;
    fclose(statm);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* Limits the memory of C modules, which Lua does not count, well above what Lua may take. */
static void limit_address_space(size_t memory)
{
    static rlim_t inherited, begun;
    if (ADDRESS_SPACE_IS_FREE)
        return;
    if (!begun) {
        inherited = inherited_rlimit(RLIMIT_AS);
        begun = address_space();
    }
    bool limited = begun && memory < SIZE_MAX / 4;
    set_rlimit(RLIMIT_AS, inherited,
               limited ? begun + 2 * (rlim_t)memory + MODULES_ROOM : RLIM_INFINITY);
}

/* --- the three limits --- */

static void say_timeout(double seconds)
{
    char text[LIMIT_TEXT];
    limit_say(text, LIMIT_TIMEOUT, seconds);
    interrupt_say(INTERRUPT_TIMEOUT, text);
}

static void note_refusal(bool refused)
{
    if (refused)
        raised_note(LIMIT_MEMORY);
    else
        raised_take_back();
}

static void limit_memory(lua_State *L, size_t bytes)
{
    allowed = bytes;
    if (meter.next)
        meter.limit = bytes;
    else if (bytes < SIZE_MAX)
        luameter_start(&meter, L, bytes, note_refusal);
    limit_address_space(bytes);
}

/* Sets the CPU limit, rounded up: the kernel knows whole seconds alone. */
static void limit_cpu(double seconds)
{
    static rlim_t inherited;
    char text[LIMIT_TEXT];
    if (!inherited)
        inherited = inherited_rlimit(RLIMIT_CPU);
    limit_say(text, LIMIT_CPU, seconds);
    interrupt_say(INTERRUPT_CPU, text);
    jobsignals_hear_cpu();
    set_rlimit(RLIMIT_CPU, inherited, isinf(seconds) ? RLIM_INFINITY : (rlim_t)ceil(seconds));
}

void joblimits_start(lua_State *L, const struct options *options)
{
    if (options->limits.memory)
        limit_memory(L, options->limits.memory);
    if (options->limits.cpu > 0)
        limit_cpu(options->limits.cpu);
}

void joblimits_change(lua_State *L, const struct job_policy *own)
{
    if (own->timeout > 0)
        say_timeout(own->timeout);
    if (own->memory)
        limit_memory(L, own->memory);
    if (own->cpu > 0)
        limit_cpu(own->cpu);
}

/* --- what Lua asks --- */

/* Whether an error holds Lua's own words for a refused request, maybe inside words of the job's. */
static bool is_refusal(lua_State *L, int index)
{
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : NULL;
    return meter.refused && text && strstr(text, "not enough memory");
}

/* Allows RELIEF more, once, after a request was refused: so the failure can be built and tearDown
 * can run. Counts from `used` where that is beyond the limit, as APP_INCLUDE may have made it
 * before there was one. */
static void relieve(void)
{
    size_t full = meter.used > meter.limit ? meter.used : meter.limit;
    if (relieved || !meter.refused || full > SIZE_MAX - RELIEF)
        return;
    relieved = true;
    meter.limit = full + RELIEF;
}

static void push_memory_error(lua_State *L)
{
    char text[LIMIT_TEXT];
    meter.refused = false;
    lua_createtable(L, 0, 2);
    lua_pushstring(L, limit_exception(LIMIT_MEMORY));
    lua_setfield(L, -2, "name");
    limit_say(text, LIMIT_MEMORY, (double)allowed);
    lua_pushstring(L, text);
    lua_setfield(L, -2, "message");
}

bool joblimits_refused(char text[LIMIT_TEXT])
{
    if (meter.refused)
        limit_say(text, LIMIT_MEMORY, (double)allowed);
    return meter.refused;
}

/*** Whether an error is one that a limit, or TERM, raised.
@function stopped
@param err any value
@treturn[1] nil it is not
@treturn[2] table the error: name, message
@treturn[2] {table|integer,...} where: see luatrace_push
@treturn[2] ?string "timeout", "memory" or "cpu"; nil: TERM */
static int stopped(lua_State *L)
{
    enum interrupt which = interrupt_of(L, 1);
    relieve();
    if (!which && !is_refusal(L, 1))
        return 0;
    if (which)
        lua_pushvalue(L, 1);
    else
        push_memory_error(L);
    luatrace_push(L);
    lua_pushstring(L, limit_name(which ? interrupt_limit(which) : LIMIT_MEMORY));
    return 3;
}

void joblimits_install(lua_State *L, const struct options *options)
{
    say_timeout(options->limits.timeout > 0 ? options->limits.timeout : DEADLINE_LOAD);
    interrupt_say(INTERRUPT_TERM, "SIGTERM");
    luastate_push_module(L, "resque.sys");
    interrupt_install(L);
    lua_pushcfunction(L, stopped);
    lua_setfield(L, -2, "stopped");
    lua_pop(L, 1);
}
