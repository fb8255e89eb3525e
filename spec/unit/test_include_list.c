/* needs: options/include_list.c */
/* test_includes.c - the files that APP_INCLUDE stands for, by table. */
#include "options/include_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void takes_a_list_apart(void **state)
{
    static const struct {
        const char *list, *names; /* each name in brackets */
    } rows[] = {
        {"jobs.lua", "[jobs.lua]"},
        {"jobs.lua,hooks.lua", "[jobs.lua][hooks.lua]"},
        {"jobs.lua, hooks.lua", "[jobs.lua][hooks.lua]"},
        {" jobs.lua\t,\n hooks.lua ", "[jobs.lua][hooks.lua]"},
        {",, jobs.lua, ,hooks.lua ,", "[jobs.lua][hooks.lua]"},
        {"my jobs.lua,a/b c/d.lua", "[my jobs.lua][a/b c/d.lua]"},
        {"", ""},
        {" , ,\t", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *list = rows[i].list, *name;
        char names[256] = "";
        size_t len, at = 0;
        while (include_list_next(&list, &name, &len))
            at += (size_t)snprintf(names + at, sizeof names - at, "[%.*s]", (int)len, name);
        assert_string_equal(names, rows[i].names);
        assert_false(include_list_next(&list, &name, &len)); /* the end stays the end */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_a_list_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
