/* needs: outcome.c memory.c */
/* test_outcome.c - what an outcome owns. */
#include "outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_copy_is_whole_and_its_own(void **state)
{
    struct outcome o, copy;
    (void)state;
    outcome_fail(&o, OUTCOME_MALFORMED, "E", "why");
    outcome_copy(&copy, &o);
    outcome_clear(&o);
    assert_int_equal(copy.kind, OUTCOME_MALFORMED);
    assert_string_equal(copy.exception, "E");
    assert_string_equal(copy.error, "why");
    assert_null(copy.trace);
    outcome_clear(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_whole_and_its_own),
    };
    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
