/* lualib_redis.c - see lualib_redis.h. redis.c does the talking, luavalues.c converts; this file
 * keeps a connection usable: it connects again before a command when the old socket turns out to be
 * closed, and never sends a command twice. */
#include "lua/lualib_redis.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/plain.h"
#include "lua/lualib_script.h"
#include "lua/luaborrowed.h"
#include "lua/luavalues.h"
#include "options/options.h"
#include "redis/command_names.h"
#include "redis/redis.h"

#define CONNECTION "resque.net.connection"
#define CONNECT_LIMIT 5.0 /* seconds */
#define REPLY_LIMIT 30.0  /* seconds; commands that wait inside Redis have none */

/* The registry key, by its address, of the program's struct address. */
static const char program_key = 0;

struct connection {
    struct redis *redis; /* NULL: closed for good */
    struct events events;
    struct address address;    /* what `redis` borrows, unless it borrows the program's */
    struct redis_args args;    /* of the command being built */
    struct redis_reply *reply; /* being converted; here, so that a Lua error does not lose it */
    pid_t owner;
    bool busy; /* commands are under way: true at the start of a call means it was left halfway */
    bool in_transaction; /* MULTI or WATCH went out, EXEC, DISCARD or UNWATCH did not */
};

/* --- a connection --- */

static struct connection *check_connection(lua_State *L)
{
    struct connection *c = luaL_checkudata(L, 1, CONNECTION);
    luaL_argcheck(L, c->redis, 1, "the connection is closed");
    return c;
}

/* The names of kinds of trouble. */
static const char *const kinds[] = {
    [REDIS_FINE] = "unreachable", [REDIS_UNREACHABLE] = "unreachable",
    [REDIS_CUT] = "unreachable",  [REDIS_REFUSED] = "refused",
    [REDIS_DENIED] = "denied",    [REDIS_NOT_REDIS] = "not_redis"};
#define KINDS ((int)(sizeof kinds / sizeof *kinds))

/* Pushes nil, the reason and its kind. */
static int push_trouble(lua_State *L, struct connection *c, const char *note)
{
    c->busy = false;
    c->in_transaction = false;
    lua_pushnil(L);
    lua_pushfstring(L, "Redis at %s: %s%s", redis_where(c->redis), redis_error(c->redis), note);
    lua_pushstring(L, kinds[redis_trouble(c->redis)]);
    return 3;
}

/* Connects; trouble is told in the same words whatever locale a script has set. */
static int connect_plainly(struct redis *r)
{
    locale_t scripts = uselocale(plain_locale());
    int status = redis_connect(r, clock_after(CONNECT_LIMIT));
    uselocale(scripts);
    return status;
}

/* Makes the connection usable by this process. 0, or the number of results pushed. */
static int make_ready(lua_State *L, struct connection *c)
{
    if (c->owner != getpid()) { /* a forked process must not talk on its parent's socket */
        redis_forget(c->redis);
        c->owner = getpid();
        c->in_transaction = false;
    }
    if (c->busy)
        redis_disconnect(c->redis);
    if (!redis_usable(c->redis)) {
        bool broken = c->in_transaction;
        if (connect_plainly(c->redis) < 0)
            return push_trouble(L, c, "");
        c->in_transaction = false;
        if (broken) {
            lua_pushnil(L);
            lua_pushfstring(
                L, "Redis at %s: the connection was lost inside a transaction; begin again",
                redis_where(c->redis));
            return 2;
        }
    }
    c->busy = true;
    return 0;
}

/* Builds and appends the command whose words lie on the stack from `first` on. */
static int append(lua_State *L, struct connection *c, int first)
{
    int last = lua_gettop(L);
    redis_args_reset(&c->args);
    for (int i = first; i <= last; i++) {
        lua_pushvalue(L, i);
        luavalues_add_word(L, &c->args);
        lua_replace(L, i);
    }
    redis_name_in_transaction(lua_tostring(L, first), &c->in_transaction);
    return redis_append(c->redis, &c->args);
}

/* Reads one reply into c->reply. */
static int read_reply(struct connection *c, bool blocking)
{
    redis_reply_free(c->reply);
    locale_t scripts = uselocale(plain_locale());
    c->reply = redis_read(c->redis, blocking ? CLOCK_NEVER : clock_after(REPLY_LIMIT));
    uselocale(scripts);
    return c->reply ? 0 : -1;
}

/* The words behind the reason of a loss. A command that Redis refused itself was not executed. */
static const char *doubt(const struct connection *c)
{
    bool known = redis_trouble(c->redis) == REDIS_REFUSED;
    return known ? "" : " (whether it was executed is not known)";
}

static int refuse(lua_State *L, const char *name)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s cannot be used on this connection, which may be opened anew at any time",
                    name);
    return 2;
}

/*** Sends one command and waits for its reply.
A connection that was closed while idle is opened again first; no command is sent twice. After 30
seconds without a reply the connection is given up, but for commands that wait (BLPOP and the like).
@function connection:call
@tparam string name
@param ... strings, integers, floats
@return[1] string (bulk and status), integer, table (array; nil inside is cjson.null, an error
{err=text}) or nil
@treturn[2] nil
@treturn[2] string an error reply as it came, or what happened to the connection
@treturn[2] ?string only with trouble: "unreachable", "refused" (it is there, and said why not),
"denied", "not_redis" */
static int connection_call(lua_State *L)
{
    struct connection *c = check_connection(L);
    const char *name = luaL_checkstring(L, 2);
    for (int i = 3; i <= lua_gettop(L); i++)
        if (!luavalues_is_word(L, i))
            return luaL_error(L, "%s: word %d is a %s, not a string or a finite number", name,
                              i - 2, luaL_typename(L, i));
    if (redis_name_is_refused(name))
        return refuse(L, name);
    bool blocking = redis_name_is_blocking(name);
    int results = make_ready(L, c);
    if (results)
        return results;
    luaL_checkstack(L, 4, NULL);
    if (append(L, c, 2) < 0 || read_reply(c, blocking) < 0)
        return push_trouble(L, c, doubt(c));
    c->busy = false;
    luavalues_push_reply(L, c->reply, false);
    if (redis_reply_type(c->reply) != REDIS_ERROR)
        return 1;
    lua_pushnil(L);
    lua_getfield(L, -2, "err");
    return 2;
}

/* Raises unless argument 2 is a list of commands; a command that cannot be used gives two results.
 */
static int check_commands(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TTABLE);
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) != LUA_TNIL; i++) {
        if (!lua_istable(L, -1) || !lua_rawlen(L, -1))
            return luaL_error(L, "pipeline: command %I is not a list of words", (LUAI_UACINT)i);
        lua_Integer words = (lua_Integer)lua_rawlen(L, -1);
        for (lua_Integer j = 1; j <= words; j++) {
            lua_rawgeti(L, -1, j);
            if (!luavalues_is_word(L, -1) || (j == 1 && lua_type(L, -1) != LUA_TSTRING))
                return luaL_error(L, "pipeline: word %I of command %I is a %s", (LUAI_UACINT)j,
                                  (LUAI_UACINT)i, luaL_typename(L, -1));
            if (j == 1 && redis_name_is_refused(lua_tostring(L, -1)))
                return refuse(L, lua_tostring(L, -1));
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return 0;
}

/* Appends every command of the list at 2. Returns how many, or -1. */
static lua_Integer append_commands(lua_State *L, struct connection *c, bool *blocking)
{
    lua_Integer count = 0;
    while (lua_rawgeti(L, 2, count + 1) == LUA_TTABLE) {
        int list = lua_gettop(L), words = (int)lua_rawlen(L, list);
        luaL_checkstack(L, words + 4, "a command with too many words");
        for (int j = 1; j <= words; j++)
            lua_rawgeti(L, list, j);
        *blocking = *blocking || redis_name_is_blocking(lua_tostring(L, list + 1));
        if (append(L, c, list + 1) < 0)
            return -1;
        lua_settop(L, list - 1);
        count++;
    }
    lua_pop(L, 1);
    return count;
}

/* Pushes the results of a connection lost among the replies; the first are in the table on top. */
static int push_broken_off(lua_State *L, struct connection *c)
{
    int replies = lua_gettop(L);
    int results = push_trouble(L, c, doubt(c));
    lua_pushvalue(L, replies);
    return redis_trouble(c->redis) == REDIS_REFUSED ? results + 1 : results;
}

/*** Sends several commands at once and reads their replies.
@function connection:pipeline
@tparam {{string,...},...} commands each a list of words: strings, integers, floats
@treturn[1] table one value per command; nil is cjson.null, an error reply the table {err=text}
@treturn[2] nil
@treturn[2] string what happened to the connection
@treturn[2] ?string its kind
@treturn[2] ?table where Redis refused one of them and closed: the replies to those before it; that
one and those behind it were not executed */
static int connection_pipeline(lua_State *L)
{
    struct connection *c = check_connection(L);
    bool blocking = false;
    lua_settop(L, 2);
    int results = check_commands(L);
    if (results || (results = make_ready(L, c)))
        return results;
    lua_Integer count = append_commands(L, c, &blocking);
    if (count < 0)
        return push_trouble(L, c, doubt(c));
    lua_createtable(L, (int)count, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        if (read_reply(c, blocking) < 0)
            return push_broken_off(L, c);
        luavalues_push_reply(L, c->reply, true);
        lua_rawseti(L, -2, i);
    }
    c->busy = false;
    return 1;
}

/*** The address as people may see it: without the password.
@function connection:where
@treturn string */
static int connection_where(lua_State *L)
{
    lua_pushstring(L, redis_where(check_connection(L)->redis));
    return 1;
}

/*** Whether MULTI or WATCH was sent and nothing has ended it.
@function connection:in_transaction
@treturn boolean */
static int connection_in_transaction(lua_State *L)
{
    const struct connection *c = check_connection(L);
    lua_pushboolean(L, c->in_transaction && c->owner == getpid());
    return 1;
}

/*** A remark, to be made once, on how the server took user and password.
@function connection:remark
@treturn ?string such as "takes the password, but not the user" */
static int connection_remark(lua_State *L)
{
    lua_pushstring(L, redis_remark(check_connection(L)->redis));
    return 1;
}

/*** Closes the connection for good. Closing twice is fine.
@function connection:close */
static int connection_close(lua_State *L)
{
    struct connection *c = luaL_checkudata(L, 1, CONNECTION);
    redis_reply_free(c->reply);
    redis_free(c->redis);
    redis_args_clear(&c->args);
    address_clear(&c->address);
    c->reply = NULL;
    c->redis = NULL;
    return 0;
}

static const luaL_Reg methods[] = {{"call", connection_call},
                                   {"pipeline", connection_pipeline},
                                   {"where", connection_where},
                                   {"in_transaction", connection_in_transaction},
                                   {"remark", connection_remark},
                                   {"close", connection_close},
                                   {NULL, NULL}};

/* --- connecting --- */

static struct connection *new_connection(lua_State *L)
{
    struct connection *c = lua_newuserdatauv(L, sizeof *c, 0);
    memset(c, 0, sizeof *c);
    c->owner = getpid();
    events_init_plain(&c->events);
    luaL_setmetatable(L, CONNECTION);
    return c;
}

/*** Opens a connection.
@function connect
@tparam[opt] string address as REDIS_BACKEND takes it; none: where the program's settings say, in
plain lua5.4 REDIS_BACKEND, else REDIS_URL, else localhost
@treturn[1] connection
@treturn[2] nil
@treturn[2] string what is wrong; never a password
@treturn[2] ?string "unreachable", "refused", "denied" or "not_redis"; nil: the address cannot be
read */
static int net_connect(lua_State *L)
{
    const char *text = luaL_optstring(L, 1, NULL);
    char err[512];
    struct connection *c = new_connection(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &program_key);
    const struct options *program = text ? NULL : lua_touserdata(L, -1);
    lua_pop(L, 1);
    int status = program ? 0
                 : text  ? address_parse(&c->address, text, err, sizeof err)
                         : address_from_environment(&c->address, err, sizeof err);
    if (status < 0) {
        lua_pushnil(L);
        lua_pushstring(L, err);
        return 2;
    }
    c->redis = redis_new(program ? &program->address : &c->address, &c->events);
    int results = make_ready(L, c);
    c->busy = false;
    return results ? results : 1;
}

/*** A hint at what to do about an error.
@function hint
@tparam string err an error reply, or what a connection gave
@tparam[opt] string trouble its kind
@treturn ?string nil: the error is not known */
static int net_hint(lua_State *L)
{
    const char *err = luaL_checkstring(L, 1), *trouble = luaL_optstring(L, 2, NULL);
    int kind = trouble ? REDIS_UNREACHABLE : REDIS_FINE;
    while (trouble && kind < KINDS && strcmp(kinds[kind], trouble) != 0)
        kind++;
    lua_pushstring(L, redis_hint(kind < KINDS ? (enum redis_trouble)kind : REDIS_FINE, err));
    return 1;
}

static const luaL_Reg functions[] = {{"connect", net_connect}, {"hint", net_hint}, {NULL, NULL}};

void lualib_redis_set_program(lua_State *L, const struct options *options)
{
    luaborrowed_push(L, options);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &program_key);
}

__attribute__((visibility("default"))) int luaopen_resque_net(lua_State *L)
{
    if (luaL_newmetatable(L, CONNECTION)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, connection_close);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, connection_close);
        lua_setfield(L, -2, "__close");
    }
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &program_key);
    lua_pushcclosure(L, lualib_script, 1);
    lua_setfield(L, -2, "script");
    return 1;
}
