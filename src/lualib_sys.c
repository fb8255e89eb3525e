/* lualib_sys.c - see lualib_sys.h. Small wrappers of system calls; nothing here knows Redis or
 * jobs. */
#include "lualib_sys.h"

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

#include "json_check.h"
#include "log.h"
#include "suggest.h"
#include "text.h"
#include "version.h"

/* Deeper JSON than this is refused: cjson's own limit is the same. */
#define JSON_DEPTH 1000

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

/*** Sleeps; a signal ends it early.
@function sleep
@tparam number seconds negative counts as 0
@treturn boolean true: the whole time; false: a signal came */
static int sys_sleep(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds <= 1e9, 1, "too long (seconds)"); /* nan too */
    if (seconds < 0)
        seconds = 0;
    struct timespec span = {.tv_sec = (time_t)seconds};
    span.tv_nsec = (long)((seconds - (lua_Number)span.tv_sec) * 1e9);
    lua_pushboolean(L, nanosleep(&span, NULL) == 0);
    return 1;
}

/*** A new id for a job, from the kernel's random numbers.
@function unique_id
@treturn string 32 lower-case hexadecimal digits */
static int sys_unique_id(lua_State *L)
{
    unsigned char bytes[16];
    char text[2 * sizeof bytes + 1];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return luaL_error(L, "no random numbers from the kernel: %s", strerror(errno));
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

/*** Checks that a text is one strict JSON value (RFC 8259, valid UTF-8).
@function json_check
@tparam string text
@tparam[opt=1000] integer max_depth at most this many containers inside each other
@treturn[1] boolean true
@treturn[2] nil
@treturn[2] string such as "byte 17: invalid UTF-8" */
static int sys_json_check(lua_State *L)
{
    char err[256];
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer depth = luaL_optinteger(L, 2, JSON_DEPTH);
    luaL_argcheck(L, depth >= 1 && depth <= JSON_DEPTH, 2, "1 to 1000 expected");
    if (json_check(text, len, (int)depth, err, sizeof err) < 0) {
        lua_pushnil(L);
        lua_pushstring(L, err);
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

/* Past the closing quote of the string whose first byte is at `p`: the first one behind an even
 * number of backslashes. */
static const char *skip_string(const char *p, const char *end)
{
    for (const char *start = p; (p = memchr(p, '"', (size_t)(end - p))); p++) {
        const char *q = p;
        while (q > start && q[-1] == '\\')
            q--;
        if ((p - q) % 2 == 0)
            return p + 1;
    }
    return end;
}

/* Reads the number at *p and moves past it. True if a double can stand for it until a walk turns
 * the whole doubles into integers: an integer of up to 15 digits, or one with a fraction that is
 * not .0. */
static bool number_is_plain(const char **p)
{
    const char *start = *p, *q = start;
    int digits = 0;
    bool exponent = false, point = false, fraction = false;
    for (;; q++) {
        if (*q >= '0' && *q <= '9') {
            digits++;
            fraction = fraction || (point && *q != '0');
        } else if (*q == '.') {
            point = true;
        } else if (*q == 'e' || *q == 'E') {
            exponent = true;
        } else if (*q != '-' && *q != '+') {
            break;
        }
    }
    *p = q;
    if (!point && !exponent)
        return digits <= 15;
    if (!exponent && digits <= 15)
        return fraction;
    double value = strtod(start, NULL);
    return value > -9e15 && value < 9e15 && value != (double)(long long)value;
}

/*** Whether cjson reads a JSON text exactly, but for whole numbers that come out as floats: no
empty array (it would become an object), no integer too long for a double, no whole number written
as a float.
@function json_plain
@tparam string text strict JSON: what `json_check` accepted
@treturn boolean */
static int sys_json_plain(lua_State *L)
{
    size_t len;
    const char *p = luaL_checklstring(L, 1, &len), *end = p + len;
    bool plain = true;
    while (plain && p < end) {
        char c = *p;
        if ((c >= '0' && c <= '9') || c == '-') {
            plain = number_is_plain(&p); /* ends at the text's NUL at the latest */
            continue;
        }
        p++;
        if (c == '"')
            p = skip_string(p, end);
        else if (c == '[')
            plain = p[strspn(p, " \t\r\n")] != ']';
    }
    lua_pushboolean(L, plain);
    return 1;
}

static void settle_top(lua_State *L);

/* Settles the value on top of the stack; true if it was a number that must be stored again. */
static bool settle_element(lua_State *L)
{
    if (lua_istable(L, -1)) {
        settle_top(L);
        return false;
    }
    if (lua_type(L, -1) != LUA_TNUMBER || lua_isinteger(L, -1))
        return false;
    int whole;
    lua_Integer value = lua_tointegerx(L, -1, &whole);
    if (!whole)
        return false;
    lua_pop(L, 1);
    lua_pushinteger(L, value);
    return true;
}

static void settle_array(lua_State *L)
{
    lua_pushvalue(L, 2);
    lua_setmetatable(L, -2);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        if (settle_element(L))
            lua_rawseti(L, -2, i);
        else
            lua_pop(L, 1);
    }
}

static void settle_object(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (settle_element(L)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, -4); /* the field exists, so lua_next may go on */
        } else {
            lua_pop(L, 1);
        }
    }
}

/* The table on top of the stack. Recursion is bounded by the depth the JSON checker allows. */
static void settle_top(lua_State *L)
{
    luaL_checkstack(L, 6, "nested too deeply");
    bool array = lua_rawgeti(L, -1, 1) != LUA_TNIL;
    lua_pop(L, 1);
    if (array)
        settle_array(L);
    else
        settle_object(L);
}

/*** Makes exact what cjson read from a plain text (see `json_plain`): whole floats become integers,
and every table that has an element [1] gets the metatable of arrays.
@function json_settle
@param value changed in place where it is a table
@tparam table array_metatable
@return the value */
static int sys_json_settle(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_pushvalue(L, 1);
    settle_element(L);
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
    lua_pushstring(L, len == 0 ? "end" : later ? "later" : strerror(errno));
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
    lua_pushstring(L, strerror(errno));
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
        lua_pushfstring(L, "%s: %s", path, strerror(errno));
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
                                     {"sleep", sys_sleep},
                                     {"unique_id", sys_unique_id},
                                     {"hostname", sys_hostname},
                                     {"pid", sys_pid},
                                     {"isatty", sys_isatty},
                                     {"columns", sys_columns},
                                     {"json_check", sys_json_check},
                                     {"json_plain", sys_json_plain},
                                     {"json_settle", sys_json_settle},
                                     {"printable", sys_printable},
                                     {"nearest", sys_nearest},
                                     {"read", sys_read},
                                     {"log", sys_log},
                                     {"log_level", sys_log_level},
                                     {"file_exists", sys_file_exists},
                                     {"list", sys_list},
                                     {NULL, NULL}};

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
    lua_pushliteral(L, VERSION_TEXT);
    lua_setfield(L, -2, "version");
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
