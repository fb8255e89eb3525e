/* needs: child/luameter.c child/luatrace.c child/luathread.c */
/* test_luameter.c - what a Lua state may allocate, and what happens beyond. */
#include "child/luameter.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "child/luathread.h"
#include "child/luatrace.h"

#define LIMIT ((size_t)4 << 20)
#define STACK_MOST ((size_t)16 << 20) /* Lua's own */

static lua_State *new_state(struct luameter *m)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    luaL_openlibs(L);
    luathread_install(L);
    luameter_start(m, L, LIMIT, NULL);
    return L;
}

static size_t counted_by_lua(lua_State *L)
{
    return (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
}

static int run(lua_State *L, const char *code)
{
    lua_settop(L, 0);
    assert_int_equal(luaL_loadstring(L, code), LUA_OK);
    return lua_pcall(L, 0, LUA_MULTRET, 0);
}

static void counts_as_lua_does(void **unused)
{
    static const char *const codes[] = {
        "local t = {} for i = 1, 1000 do t[i] = { i } end",
        "local s = '' for i = 1, 500 do s = s .. i end",
        "for i = 1, 100 do coroutine.wrap(function() coroutine.yield(i) end)() end",
        "return table.concat({ ('x'):rep(100000), ('y'):rep(100000) })",
        "collectgarbage()",
    };
    struct luameter m;
    lua_State *L = new_state(&m);
    (void)unused;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        assert_int_equal(run(L, codes[i]), LUA_OK);
        assert_int_equal(m.used, counted_by_lua(L));
    }
    assert_false(m.refused);
    lua_close(L);
}

static void refuses_beyond_the_limit_and_keeps_the_place(void **unused)
{
    static const char *const codes[] = {
        "local t = {} while true do t[#t + 1] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "return ('x'):rep(1 << 30)",
        "local function f(n) return 1 + f(n) end return f(1)",
        "coroutine.wrap(function() local t = {} while true do t[#t + 1] = {} end end)()",
        "local t = {} while true do t[#t + 1] = true end",
        "local t = {} for i = 1, math.huge do t['k' .. i % 3] = i t[i] = i end",
        "local function f(...) return f(1, 1, 1, 1, 1, ...) end return f()",
        "local function f(n)\n"
        "  return 1 + (n > 50 and 0 or coroutine.wrap(f)(n + 1)) + f(n) end return f(1)",
    };
    (void)unused;
    size_t count = sizeof codes / sizeof *codes;
    if (getenv("SPEC_VALGRIND")) /* the last one takes minutes there */
        count--;
    for (size_t i = 0; i < count; i++) {
        struct luameter m;
        lua_State *L = new_state(&m);
        assert_int_not_equal(run(L, codes[i]), LUA_OK);
        assert_non_null(strstr(lua_tostring(L, -1), "not enough memory"));
        assert_true(m.refused);
        assert_true(m.used <= 2 * LIMIT + STACK_MOST);
        m.limit *= 8; /* room to tell */
        luatrace_push(L);
        assert_true(lua_rawlen(L, -1) > 0);
        lua_close(L);
    }
}

/* The stack grows as the limit is met, or anything else does: there is a place in any case. */
static void keeps_the_place_of_a_recursion_wherever_it_ends(void **unused)
{
    (void)unused;
    int step = getenv("SPEC_VALGRIND") ? 1000 : 50; /* valgrind needs seconds for each */
    for (int kilobytes = 0; kilobytes < 2000; kilobytes += step) {
        struct luameter m;
        char code[128];
        lua_State *L = new_state(&m);
        snprintf(code, sizeof code,
                 "x = ('y'):rep(%d * 1024) local function f() return 1 + f() end return f()",
                 kilobytes);
        assert_int_equal(run(L, code), LUA_ERRMEM);
        m.limit *= 8;
        luatrace_push(L);
        assert_true(lua_rawlen(L, -1) > 0);
        lua_close(L);
    }
}

static void goes_on_once_something_is_let_go(void **unused)
{
    struct luameter m;
    lua_State *L = new_state(&m);
    (void)unused;
    for (int i = 0; i < 20; i++)
        assert_int_equal(run(L, "local ok, err = pcall(string.rep, 'x', 1 << 23)\n"
                                "assert(not ok and err == 'not enough memory')\n"
                                "return #('y'):rep(1 << 20)"),
                         LUA_OK);
    lua_close(L);
}

/* A text of luaL_Buffer's gets no collection: it may go beyond while the rest is garbage. */
static void garbage_leaves_room_for_a_text(void **unused)
{
    struct luameter m;
    lua_State *L = new_state(&m);
    (void)unused;
    assert_int_equal(run(L, "collectgarbage 'stop'\n"
                            "while collectgarbage 'count' < 3.8 * 1024 do\n"
                            "  local _ = ('z'):rep(1000) end\n"
                            "return #('x'):rep(1 << 20)"),
                     LUA_OK);
    assert_true(m.used <= LIMIT);
    lua_close(L);
}

static int raised;

static void count(bool refused)
{
    raised += refused ? 1 : -1;
}

/* Lua asks twice for an object; a helpful collection takes the refusal back. */
static void tells_of_what_is_refused_for_good(void **unused)
{
    struct luameter m;
    lua_State *L = new_state(&m);
    (void)unused;
    m.tell = count;
    raised = 0;
    assert_int_equal(run(L, "collectgarbage 'stop'\n"
                            "for i = 1, 100000 do local _ = { {}, {}, {} } end"),
                     LUA_OK);
    assert_true(m.refused);
    assert_int_equal(raised, 0);
    assert_int_not_equal(run(L, "keep = {} while true do keep[#keep + 1] = {} end"), LUA_OK);
    assert_true(raised > 0);
    lua_close(L);
}

static void a_limit_may_change(void **unused)
{
    struct luameter m;
    lua_State *L = new_state(&m);
    (void)unused;
    assert_int_not_equal(run(L, "return #('x'):rep(5 << 20)"), LUA_OK);
    m.limit = SIZE_MAX;
    assert_int_equal(run(L, "return #('x'):rep(5 << 20)"), LUA_OK);
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_as_lua_does),
        cmocka_unit_test(refuses_beyond_the_limit_and_keeps_the_place),
        cmocka_unit_test(keeps_the_place_of_a_recursion_wherever_it_ends),
        cmocka_unit_test(goes_on_once_something_is_let_go),
        cmocka_unit_test(garbage_leaves_room_for_a_text),
        cmocka_unit_test(tells_of_what_is_refused_for_good),
        cmocka_unit_test(a_limit_may_change),
    };
    return cmocka_run_group_tests_name("luameter", tests, NULL, NULL);
}
