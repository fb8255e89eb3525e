/* luavalues.c - see luavalues.h. */
#include "lua/luavalues.h"

#include <math.h>
#include <stddef.h>

#include <lauxlib.h>

#include "base/plain.h"

static void push_array(lua_State *L, const struct redis_reply *reply)
{
    size_t count = redis_reply_count(reply);
    luaL_checkstack(L, 3, "reply nested too deeply");
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        luavalues_push_reply(L, redis_reply_at(reply, i), true);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void luavalues_push_reply(lua_State *L, const struct redis_reply *reply, bool inside)
{
    size_t len;
    const char *text = redis_reply_text(reply, &len);
    switch (redis_reply_type(reply)) {
    case REDIS_NIL:
        if (inside)
            lua_pushlightuserdata(L, NULL);
        else
            lua_pushnil(L);
        break;
    case REDIS_INTEGER:
        lua_pushinteger(L, redis_reply_integer(reply));
        break;
    case REDIS_ARRAY:
        push_array(L, reply);
        break;
    case REDIS_ERROR:
        lua_createtable(L, 0, 1);
        lua_pushlstring(L, text, len);
        lua_setfield(L, -2, "err");
        break;
    case REDIS_STRING:
    case REDIS_STATUS:
        lua_pushlstring(L, text, len);
        break;
    }
}

void luavalues_add_word(lua_State *L, struct redis_args *args)
{
    if (lua_isinteger(L, -1)) {
        lua_pushfstring(L, "%I", (LUAI_UACINT)lua_tointeger(L, -1));
        lua_replace(L, -2);
    } else if (lua_type(L, -1) == LUA_TNUMBER) {
        char number[PLAIN_NUMBER];
        lua_pushstring(L, plain_number_text(number, lua_tonumber(L, -1)));
        lua_replace(L, -2);
    }
    size_t len;
    const char *text = lua_tolstring(L, -1, &len);
    redis_args_add_bytes(args, text, len);
}

bool luavalues_is_word(lua_State *L, int index)
{
    int type = lua_type(L, index);
    return type == LUA_TSTRING || (type == LUA_TNUMBER && isfinite(lua_tonumber(L, index)));
}
