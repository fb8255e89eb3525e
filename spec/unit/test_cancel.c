/* needs: worker/cancel.c job/outcome.c base/memory.c base/text.c */
/* test_cancel.c - whose token is meant, and which ends of a job become cancelled ones. */
#include "worker/cancel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void means_one_token(void **state)
{
    static const struct {
        const char *written;
        bool wanted;
    } rows[] = {{"0123456789abcdef:12", true},   {"0123456789abcdef:1", false},
                {"0123456789abcdef:123", false}, {"1123456789abcdef:12", false},
                {"0123456789abc", false},        {"", false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct board_slot slot = {0};
        const struct job job = {.token = "0123456789abcdef:12"};
        snprintf(slot.cancel, sizeof slot.cancel, "%s", rows[i].written);
        assert_int_equal(cancel_wanted(&slot, &job), rows[i].wanted);
    }
}

static void judges_by_who_ended_it(void **state)
{
    static const struct {
        enum outcome_kind kind;
        const char *exception;
        bool dirty, started, cancelled;
    } rows[] = {
        {OUTCOME_DONE, NULL, false, true, false},
        {OUTCOME_FAILED, "LuaError", false, true, false},
        {OUTCOME_FAILED, "Resque::TermException", false, true, true},
        {OUTCOME_FAILED, "Resque::DirtyExit", true, true, true},
        {OUTCOME_PUT_BACK, "Resque::DirtyExit", true, false, true},
        {OUTCOME_PUT_BACK, NULL, false, false, true},
        {OUTCOME_MALFORMED, "Resque::MalformedPayload", false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct outcome o;
        outcome_fail(&o, rows[i].kind, rows[i].exception ? rows[i].exception : "", "why");
        o.dirty = rows[i].dirty;
        o.tell = true;
        cancel_judge(&o, rows[i].started);
        assert_int_equal(o.kind, rows[i].cancelled ? OUTCOME_FAILED : rows[i].kind);
        if (rows[i].cancelled) {
            assert_string_equal(o.exception, "Resque::Cancelled");
            assert_int_equal(strstr(o.error, "before it started") == NULL, rows[i].started);
            assert_false(o.dirty);
        } else {
            assert_string_equal(o.error, "why");
        }
        assert_true(o.tell);
        outcome_clear(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_one_token),
        cmocka_unit_test(judges_by_who_ended_it),
    };
    return cmocka_run_group_tests_name("cancel", tests, NULL, NULL);
}
