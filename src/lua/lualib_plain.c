/* lualib_plain.c - the part of `resque.sys` that does what tostring, string.format and table.sort
 * do, but for the locale that a script has set (plain.h). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/plain.h"
#include "lua/lualib_sys.h"

/*** Reads a decimal number.
@function number
@tparam string text digits, which may have a point in them; anything behind them is ignored
@treturn number a float */
static int sys_number(lua_State *L)
{
    lua_pushnumber(L, plain_number(luaL_checkstring(L, 1)));
    return 1;
}

/*** The shortest text that reads back as the same number.
@function number_text
@tparam number value
@treturn string "3" for 3.0 */
static int sys_number_text(lua_State *L)
{
    char text[PLAIN_NUMBER];
    lua_pushstring(L, plain_number_text(text, luaL_checknumber(L, 1)));
    return 1;
}

/*** A number with so many decimals.
@function fixed
@tparam number value
@tparam integer decimals
@treturn string */
static int sys_fixed(lua_State *L)
{
    enum { LONGEST = 400 }; /* -1.8e308 has 310 bytes in front of its point */
    char text[LONGEST];
    lua_Integer decimals = luaL_checkinteger(L, 2);
    luaL_argcheck(L, decimals >= 0 && decimals <= 20, 2, "0 to 20 expected");
    plain_format(text, sizeof text, "%.*f", (int)decimals, luaL_checknumber(L, 1));
    lua_pushstring(L, text);
    return 1;
}

/*** As Lua's tostring, but every float has a point, whatever the locale.
@function tostring
@param value
@treturn string */
static int sys_tostring(lua_State *L)
{
    char text[PLAIN_NUMBER];
    if (lua_type(L, 1) != LUA_TNUMBER || lua_isinteger(L, 1)) {
        luaL_tolstring(L, 1, NULL);
        return 1;
    }
    plain_format(text, sizeof text, "%.14g", lua_tonumber(L, 1));
    bool looks_whole = !text[strspn(text, "-0123456789")];
    lua_pushfstring(L, looks_whole ? "%s.0" : "%s", text);
    return 1;
}

/* --- order --- */

struct text {
    const char *bytes; /* Lua's */
    size_t len;
    lua_Integer from; /* where it stands in the list */
};

static int compare(const void *left, const void *right)
{
    const struct text *a = left, *b = right;
    int order = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

static struct text text_at(lua_State *L, int index)
{
    struct text t = {0};
    luaL_checktype(L, index, LUA_TSTRING);
    t.bytes = lua_tolstring(L, index, &t.len);
    return t;
}

/*** Whether a text comes before another in the order of their bytes.
@function before
@tparam string a
@tparam string b
@treturn boolean */
static int sys_before(lua_State *L)
{
    struct text a = text_at(L, 1), b = text_at(L, 2);
    lua_pushboolean(L, compare(&a, &b) < 0);
    return 1;
}

/* Brings the list at 1 into the order of `texts`, one circle of moves after the other. */
static void arrange(lua_State *L, struct text *texts, lua_Integer count)
{
    for (lua_Integer first = 1; first <= count; first++) {
        lua_Integer to = first, from;
        lua_rawgeti(L, 1, first);
        for (; (from = texts[to - 1].from) != first; to = from) {
            lua_rawgeti(L, 1, from);
            lua_rawseti(L, 1, to);
            texts[to - 1].from = to;
        }
        lua_rawseti(L, 1, to);
        texts[to - 1].from = to;
    }
}

/*** Sorts texts by their bytes, in place.
@function sort
@tparam {string,...} list
@treturn table the list */
static int sys_sort(lua_State *L)
{
    enum { FEW = 16 };
    struct text few[FEW], *texts = few;
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
    if (count > FEW)
        texts = lua_newuserdatauv(L, (size_t)count * sizeof *texts, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        texts[i - 1] = text_at(L, -1); /* stays valid: the list holds it */
        texts[i - 1].from = i;
        lua_pop(L, 1);
    }
    qsort(texts, (size_t)count, sizeof *texts, compare);
    arrange(L, texts, count);
    lua_settop(L, 1);
    return 1;
}

const luaL_Reg lualib_plain_functions[] = {{"number", sys_number},
                                           {"number_text", sys_number_text},
                                           {"fixed", sys_fixed},
                                           {"tostring", sys_tostring},
                                           {"before", sys_before},
                                           {"sort", sys_sort},
                                           {NULL, NULL}};
