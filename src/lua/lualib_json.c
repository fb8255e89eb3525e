/* lualib_json.c - see lualib_json.h. json_check.c knows what is JSON, the reader makes its values.
 */
#include "lua/lualib_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/json_check.h"
#include "base/plain.h"

#define DEPTH 1000 /* containers inside each other */
#define ARRAY 2    /* stack index of the metatable of arrays */

struct reader {
    lua_State *L;
    const char *at; /* in a text that ends in a NUL, where everything stops */
    int depth;
};

/*** Checks that a text is one strict JSON value (RFC 8259, valid UTF-8).
@function check
@tparam string text
@tparam[opt=1000] integer max_depth at most this many containers inside each other
@treturn[1] boolean true
@treturn[2] nil
@treturn[2] string such as "byte 17: invalid UTF-8" */
static int check(lua_State *L)
{
    char err[256];
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer depth = luaL_optinteger(L, 2, DEPTH);
    luaL_argcheck(L, depth >= 1 && depth <= DEPTH, 2, "1 to 1000 expected");
    if (json_check(text, len, (int)depth, err, sizeof err) < 0) {
        lua_pushnil(L);
        lua_pushstring(L, err);
        return 2;
    }
    lua_pushboolean(L, true);
    return 1;
}

static void skip_blanks(struct reader *r)
{
    r->at += strspn(r->at, " \t\r\n");
}

static void refuse(const struct reader *r)
{
    luaL_error(r->L, "read: this is not JSON");
}

/* Moves past `word`. */
static void expect(struct reader *r, const char *word)
{
    size_t len = strlen(word);
    if (strncmp(r->at, word, len) != 0)
        refuse(r);
    r->at += len;
}

/* --- numbers --- */

/* An integer that fits 64 bits is one; all others are doubles, at worst infinite. */
static void read_number(struct reader *r)
{
    const char *start = r->at;
    r->at += *r->at == '-';
    size_t digits = strspn(r->at, "0123456789");
    r->at += digits;
    size_t rest = strspn(r->at, "0123456789.eE+-");
    r->at += rest;
    if (digits == 0)
        refuse(r);
    errno = 0;
    long long value = rest == 0 ? strtoll(start, NULL, 10) : 0;
    if (rest == 0 && errno != ERANGE)
        lua_pushinteger(r->L, value);
    else
        lua_pushnumber(r->L, plain_number(start));
}

/* --- strings --- */

/* The four hexadecimal digits at r->at. */
static unsigned read_hex(struct reader *r)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        char c = *r->at, letter = (char)(c | 0x20);
        bool digit = c >= '0' && c <= '9';
        if (!digit && (letter < 'a' || letter > 'f'))
            refuse(r);
        value = value << 4 | (unsigned)(digit ? c - '0' : letter - 'a' + 10);
    }
    return value;
}

static void add_utf8(luaL_Buffer *b, unsigned code)
{
    static const unsigned char first[] = {0, 0, 0xC0, 0xE0, 0xF0};
    int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    if (more == 0) {
        luaL_addchar(b, (char)code);
        return;
    }
    luaL_addchar(b, (char)(first[more + 1] | code >> 6 * more));
    while (more-- > 0)
        luaL_addchar(b, (char)(0x80 | (code >> 6 * more & 0x3F)));
}

/* Adds the character of the digits behind \u; a surrogate comes with its partner. */
static void add_unicode(struct reader *r, luaL_Buffer *b)
{
    unsigned code = read_hex(r);
    if (code >= 0xD800 && code < 0xDC00) {
        expect(r, "\\u");
        code = 0x10000 + ((code - 0xD800) << 10) + (read_hex(r) & 0x3FF);
    }
    add_utf8(b, code);
}

/* Adds the character of an escape, of which r->at is behind the backslash. */
static void add_escape(struct reader *r, luaL_Buffer *b)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *place = *r->at ? strchr(letters, *r->at) : NULL;
    if (place) {
        r->at++;
        luaL_addchar(b, bytes[place - letters]);
        return;
    }
    expect(r, "u");
    add_unicode(r, b);
}

/* Reads the rest of a string with escapes: r->at is at the first, the string began at `start`. */
static void read_escaped(struct reader *r, const char *start)
{
    luaL_Buffer b;
    luaL_buffinit(r->L, &b);
    luaL_addlstring(&b, start, (size_t)(r->at - start));
    while (*r->at == '\\') {
        r->at++;
        add_escape(r, &b);
        size_t len = strcspn(r->at, "\"\\");
        luaL_addlstring(&b, r->at, len);
        r->at += len;
    }
    luaL_pushresult(&b);
}

static void read_string(struct reader *r)
{
    expect(r, "\"");
    const char *start = r->at;
    r->at += strcspn(r->at, "\"\\");
    if (*r->at == '\\')
        read_escaped(r, start);
    else
        lua_pushlstring(r->L, start, (size_t)(r->at - start));
    expect(r, "\"");
}

/* --- containers --- */

static void read_value(struct reader *r);

/* Moves past the opening bracket. Returns whether there is an element. */
static bool enter(struct reader *r, char close)
{
    r->at++;
    if (++r->depth > DEPTH)
        luaL_error(r->L, "read: nested too deeply");
    luaL_checkstack(r->L, 6, "nested too deeply");
    lua_newtable(r->L);
    skip_blanks(r);
    return *r->at != close;
}

/* Moves on behind an element. Returns whether there is another one. */
static bool goes_on(struct reader *r)
{
    skip_blanks(r);
    if (*r->at != ',')
        return false;
    r->at++;
    return true;
}

static void read_array(struct reader *r)
{
    lua_Integer count = 0;
    bool more = enter(r, ']');
    lua_pushvalue(r->L, ARRAY);
    lua_setmetatable(r->L, -2);
    while (more) {
        read_value(r);
        lua_rawseti(r->L, -2, ++count);
        more = goes_on(r);
    }
    expect(r, "]");
    r->depth--;
}

/* Reads an object; of equal keys the last counts. */
static void read_object(struct reader *r)
{
    bool more = enter(r, '}');
    while (more) {
        skip_blanks(r);
        read_string(r);
        skip_blanks(r);
        expect(r, ":");
        read_value(r);
        lua_rawset(r->L, -3);
        more = goes_on(r);
    }
    expect(r, "}");
    r->depth--;
}

static void read_word(struct reader *r)
{
    bool yes = *r->at == 't', null = *r->at == 'n';
    expect(r, null ? "null" : yes ? "true" : "false");
    if (null)
        lua_pushlightuserdata(r->L, NULL);
    else
        lua_pushboolean(r->L, yes);
}

/* Pushes the value at or after r->at and moves behind it. */
static void read_value(struct reader *r)
{
    skip_blanks(r);
    char c = *r->at;
    if (c == '"')
        read_string(r);
    else if (c == '{')
        read_object(r);
    else if (c == '[')
        read_array(r);
    else if (c == '-' || (c >= '0' && c <= '9'))
        read_number(r);
    else
        read_word(r);
}

/*** Reads JSON; raises for some, but not all, of the texts that `check` refuses.
@function read
@tparam string text strict JSON: what `check` accepted
@tparam table array_metatable what each array gets
@return the value; null is the light userdata NULL */
static int read_text(lua_State *L)
{
    size_t len;
    struct reader r = {.L = L, .at = luaL_checklstring(L, 1, &len)};
    const char *end = r.at + len;
    luaL_checktype(L, ARRAY, LUA_TTABLE);
    lua_settop(L, ARRAY);
    read_value(&r);
    skip_blanks(&r);
    if (r.at != end)
        refuse(&r);
    return 1;
}

static const luaL_Reg functions[] = {{"check", check}, {"read", read_text}, {NULL, NULL}};

__attribute__((visibility("default"))) int luaopen_resque_sys_json(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
