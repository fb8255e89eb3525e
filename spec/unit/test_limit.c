/* needs: job/limit.c base/plain.c */
/* test_limit.c - what the errors of limits say, and what processes are killed for. */
#include "job/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void says_it_in_the_units_that_people_wrote(void **unused)
{
    static const struct {
        enum limit which;
        double amount;
        const char *text;
    } rows[] = {
        {LIMIT_TIMEOUT, 0.4, "took longer than 0.4 s (timeout)"},
        {LIMIT_TIMEOUT, 30, "took longer than 30 s (timeout)"},
        {LIMIT_CPU, 1.5, "used more than 2 s of CPU time (cpu)"},
        {LIMIT_MEMORY, 1 << 20, "not enough memory (limit 1 MB)"},
        {LIMIT_MEMORY, 3000 << 10, "not enough memory (limit 3000 KB)"},
        {LIMIT_MEMORY, 1234567, "not enough memory (limit 1234567 bytes)"},
        {LIMIT_MEMORY, 1099511627776, "not enough memory (limit 1024 GB)"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[LIMIT_TEXT];
        limit_say(text, rows[i].which, rows[i].amount);
        assert_string_equal(text, rows[i].text);
    }
}

static void names_what_a_process_was_killed_for(void **unused)
{
    static const struct {
        enum limit which;
        double amount;
        const char *label;
    } rows[] = {
        {LIMIT_TIMEOUT, 0.4, "its time limit of 0.4 s"},
        {LIMIT_TIMEOUT, 1e9, "its time limit of 1e+09 s"},
        {LIMIT_CPU, 1.5, "its CPU limit of 2 s"},
        {LIMIT_MEMORY, 16 << 20, "its memory limit of 16 MB"},
        {LIMIT_MEMORY, 1099511627775, "its memory limit of 1099511627775 bytes"},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char label[LIMIT_LABEL];
        limit_label(label, rows[i].which, rows[i].amount);
        assert_string_equal(label, rows[i].label);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_it_in_the_units_that_people_wrote),
        cmocka_unit_test(names_what_a_process_was_killed_for),
    };
    return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
