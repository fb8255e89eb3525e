/* needs: redis/scripts.c redis/script_files.c redis/answers.c redis/reply.c redis/errors.c */
/* needs: redis/auth.c redis/args.c redis/redis.c redis/address.c redis/address_show.c */
/* needs: base/source.c base/log.c base/text.c base/clock.c base/memory.c base/plain.c */
/* needs: os/events.c os/descriptors.c embedded.c */
/* test_scripts.c - what stands in the error after a reply that is not welcome. */
#include "redis/scripts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "reply_wire.h"

static struct scripts s;

static int setup(void **state)
{
    static const struct source_context embedded = {0};
    (void)state;
    scripts_open(&s, NULL, "resque:", &embedded);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scripts_close(&s);
    return 0;
}

static void expect(struct redis_reply *reply, const char *error)
{
    assert_int_equal(scripts_fail_reply(&s, reply), -1);
    assert_string_equal(s.error, error);
}

static void an_unknown_word_is_named(void **state)
{
    (void)state;
    expect(reply_of("MAYBE", "later"), "unexpected answer of a server script: \"MAYBE\"");
    expect(reply_of("OKAY", ""), "unexpected answer of a server script: \"OKAY\"");
}

static void a_reply_without_a_word_is_unexpected(void **state)
{
    (void)state;
    expect(reply_of_wire("*0\r\n"), "unexpected reply");
    expect(reply_of_wire("*1\r\n:7\r\n"), "unexpected reply");
    expect(reply_of_wire("+OK\r\n"), "unexpected reply");
}

static void the_reason_stands_alone(void **state)
{
    (void)state;
    expect(reply_of("ERR", "OOM command not allowed"), "OOM command not allowed");
    expect(reply_of_wire("-READONLY You can't write\r\n"), "READONLY You can't write");
}

static void a_known_word_has_its_detail_behind_it(void **state)
{
    (void)state;
    expect(reply_of("HELD", "0123456789abcdef:4"), "HELD 0123456789abcdef:4");
    expect(reply_of("LOST", ""), "LOST");
}

/* One byte more would be the memory behind it. */
static void a_long_text_is_cut(void **state)
{
    char text[2 * sizeof s.error];
    (void)state;
    memset(text, 'X', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(scripts_fail(&s, "%s", text), -1);
    assert_int_equal(strlen(s.error), sizeof s.error - 1);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(an_unknown_word_is_named), ROW(a_reply_without_a_word_is_unexpected),
        ROW(the_reason_stands_alone),  ROW(a_known_word_has_its_detail_behind_it),
        ROW(a_long_text_is_cut),
    };
    return cmocka_run_group_tests_name("scripts", tests, NULL, NULL);
}
