/* lualib_sys.c - see lualib_sys.h. Small wrappers of system calls; nothing here knows Redis or
 * jobs. */
#include "lua/lualib_sys.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/log.h"
#include "base/plain.h"
#include "base/suggest.h"
#include "base/text.h"
#include "base/version.h"
#include "lua/lualib_includes.h"
#include "lua/lualib_sleep.h"

static int push_clock(lua_State *L, clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    lua_pushnumber(L, (lua_Number)now.tv_sec + (lua_Number)(now.tv_nsec / 1000) / 1e6);
    return 1;
}

/*** Unix time with microseconds.
@function time
@treturn number seconds */
static int sys_time(lua_State *L)
{
    return push_clock(L, CLOCK_REALTIME);
}

/*** A clock that nobody sets: only differences mean anything.
@function monotonic
@treturn number seconds */
static int sys_monotonic(lua_State *L)
{
    return push_clock(L, CLOCK_MONOTONIC);
}

/*** A new id for a job, from the kernel's random numbers.
@function unique_id
@treturn string 32 lower-case hexadecimal digits */
static int sys_unique_id(lua_State *L)
{
    unsigned char bytes[16];
    char text[2 * sizeof bytes + 1];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return luaL_error(L, "no random numbers from the kernel: %s", plain_error(errno));
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    lua_pushstring(L, text);
    return 1;
}

/*** Name of this host.
@function hostname
@treturn string */
static int sys_hostname(lua_State *L)
{
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    lua_pushstring(L, *name ? name : "localhost");
    return 1;
}

/*** Process id.
@function pid
@treturn integer */
static int sys_pid(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

/*** Whether a descriptor is a terminal.
@function isatty
@tparam integer fd 0, 1 or 2
@treturn boolean */
static int sys_isatty(lua_State *L)
{
    lua_pushboolean(L, isatty((int)luaL_checkinteger(L, 1)));
    return 1;
}

/*** Width of the terminal on stderr or stdout.
@function columns
@treturn integer 80 when neither is a terminal */
static int sys_columns(lua_State *L)
{
    struct winsize size = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    lua_pushinteger(L, size.ws_col ? size.ws_col : 80);
    return 1;
}

/*** Makes text from outside safe to show: valid UTF-8, control characters escaped.
@function printable
@tparam string text
@treturn string */
static int sys_printable(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    size_t room = len * 8 + 1; /* the longest escape, \u{2028}, stands for three bytes */
    luaL_Buffer b;
    text_printable(luaL_buffinitsize(L, &b, room), room, text, len);
    luaL_pushresultsize(&b, strlen(luaL_buffaddr(&b)));
    return 1;
}

/*** The name that is most like what somebody wrote, for "did you mean".
@function nearest
@tparam string typed
@tparam {string,...} names
@treturn ?string nil when none is near enough */
static int sys_nearest(lua_State *L)
{
    const char *typed = luaL_checkstring(L, 1), *best = NULL;
    luaL_checktype(L, 2, LUA_TTABLE);
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
        suggest_consider(typed, lua_tostring(L, -1), &best); /* stays valid: the list holds it */
        lua_pop(L, 1);
    }
    lua_pushstring(L, best);
    return 1;
}

/* In the order of enum log_level. */
static const char *const level_names[] = {"error", "warn", "notice", "info", "debug", NULL};

/*** Writes one line to the log.
@function log
@tparam string level "error", "warn", "notice", "info" or "debug"
@tparam string text */
static int sys_log(lua_State *L)
{
    enum log_level level = (enum log_level)luaL_checkoption(L, 1, NULL, level_names);
    log_at(level, "%s", luaL_checkstring(L, 2));
    return 0;
}

/*** Sets which lines are written (plain lua5.4 starts with "warn").
@function log_level
@tparam string level the least important one that is written */
static int sys_log_level(lua_State *L)
{
    log_set_level((enum log_level)luaL_checkoption(L, 1, NULL, level_names));
    return 0;
}

#define READ_CHUNK 65536

/*** Reads what a descriptor has, and waits for it a while. Not to be mixed with io.stdin.
@function read
@tparam integer fd
@tparam[opt] number seconds to wait at most; none: as long as it takes
@treturn[1] string at most 64 KB
@treturn[2] nil
@treturn[2] string "end", "later" (nothing came, or a signal did), or an error message */
static int sys_read(lua_State *L)
{
    struct pollfd wait = {.fd = (int)luaL_checkinteger(L, 1), .events = POLLIN};
    lua_Number seconds = luaL_optnumber(L, 2, -1);
    luaL_argcheck(L, seconds <= 2e6, 2, "too long (seconds)");
    luaL_Buffer b;
    int ready = poll(&wait, 1, seconds < 0 ? -1 : (int)(seconds * 1000));
    ssize_t len = ready > 0 ? read(wait.fd, luaL_buffinitsize(L, &b, READ_CHUNK), READ_CHUNK) : -1;
    if (len > 0) {
        luaL_pushresultsize(&b, (size_t)len);
        return 1;
    }
    lua_pushnil(L);
    bool later = ready == 0 || (len < 0 && (errno == EINTR || errno == EAGAIN));
    lua_pushstring(L, len == 0 ? "end" : later ? "later" : plain_error(errno));
    return 2;
}

/*** Whether there is something at a path.
@function file_exists
@tparam string path
@treturn[1] boolean true
@treturn[2] boolean false
@treturn[2] ?string why nobody can tell, such as "Permission denied"; nil: there is nothing */
static int sys_file_exists(lua_State *L)
{
    bool found = access(luaL_checkstring(L, 1), F_OK) == 0;
    bool missing = errno == ENOENT || errno == ENOTDIR;
    lua_pushboolean(L, found);
    if (found || missing)
        return 1;
    lua_pushstring(L, plain_error(errno));
    return 2;
}

/*** Names in a folder, in no order, without "." and "..".
@function list
@tparam string dir
@treturn[1] {string,...}
@treturn[2] nil
@treturn[2] string error message */
static int sys_list(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    DIR *dir = opendir(path);
    if (!dir) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", path, plain_error(errno));
        return 2;
    }
    lua_newtable(L);
    lua_Integer n = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, ++n);
    }
    closedir(dir);
    return 1;
}

static const luaL_Reg functions[] = {{"time", sys_time},
                                     {"monotonic", sys_monotonic},
                                     {"sleep", lualib_sleep},
                                     {"unique_id", sys_unique_id},
                                     {"hostname", sys_hostname},
                                     {"pid", sys_pid},
                                     {"isatty", sys_isatty},
                                     {"columns", sys_columns},
                                     {"printable", sys_printable},
                                     {"nearest", sys_nearest},
                                     {"read", sys_read},
                                     {"log", sys_log},
                                     {"log_level", sys_log_level},
                                     {"file_exists", sys_file_exists},
                                     {"list", sys_list},
                                     {"includes", lualib_sys_includes},
                                     {"folder_is_gone", lualib_sys_folder_is_gone},
                                     {NULL, NULL}};

/*** The purpose of this state's scripts, which decides on the functions that there are:
"job" - one job, or onFailure for one whose process died: report_started and others, policy, xpcall,
stopped, confine_calls;
"worker" - beforeFirstFork and beforeFork, and the manager's check of APP_INCLUDE, which is loaded
there as a worker would load it;
"command" - any other command of the program; as "job" and "worker" it has settings and leave;
"plain" - a program of somebody else's that plain lua5.4 runs.
@field where */

/* The module's __index: `sys.settings` at its first use. Upvalue 1 makes the table; it is kept in
 * the module. */
static int sys_index(lua_State *L)
{
    const char *name = lua_tostring(L, 2);
    if (!name || strcmp(name, "settings") != 0)
        return 0;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_call(L, 0, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, 1, "settings");
    return 1;
}

__attribute__((visibility("default"))) int luaopen_resque_sys(lua_State *L)
{
    luaL_newlib(L, functions);
    luaL_setfuncs(L, lualib_plain_functions, 0);
    lua_pushliteral(L, VERSION_TEXT);
    lua_setfield(L, -2, "version");
    lua_pushliteral(L, "plain"); /* luastate.c says it of its own states */
    lua_setfield(L, -2, "where");
    if (lua_getfield(L, LUA_REGISTRYINDEX, LUALIB_SYS_SETTINGS) == LUA_TNIL) { /* plain lua5.4 */
        lua_pop(L, 1);
        log_set_level(LOG_LEVEL_WARN);
        return 1;
    }
    lua_pushcclosure(L, sys_index, 1);
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}
