/* needs: redis/address.c redis/address_show.c base/memory.c base/plain.c */
/* test_address_password.c - no message about an address holds its password. */
#include "redis/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Whatever is wrong around it, the password is in no message and not in what is shown. */
static void test_password_is_never_told(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "redis://u:hunter2@r",
        "redis://hunter2@r",
        "redis://hunter2@r:port",
        "redis://hunter2%@r",
        "redis://a/hunter2@r",
        "tcp://hunter2@r/db",
        "redis://hunter2@r?x=1",
        "redis://:hunter2@r:port",
        "redis://:hunter2@r:6379:1",
        "redis://:hunter2@",
        "redis://u:hunter2@r/db",
        "redis://u:hunter2@r?x=1",
        "redis://u:hunter2@r?timeout=",
        "redis://u:hunter2%@r",
        "redis://u%:hunter2@r",
        "redis://u:a/hunter2@r",
        "redis://u:a?hunter2@r",
        "redis://u:a#hunter2@r",
        "redis://u:a?hunter2=1@r",
        "redis://u:hunter2@[::x]",
        "redis://u:hunter2@[::1",
        "redis://:hunter2",
        "redis://u:hunter2",
        "redis://u:12hunter2/1",
        "redis://:hunter2@r\n",
        "u:hunter2@r",
        "hunter2@r:6379",
        "u:hunter2://x@r",
        "redis:/u:hunter2@r",
        "redis//u:hunter2@r",
        "//u:hunter2@r",
        "rediss://u:hunter2@r",
        "reddis://u:hunter2@r",
        "unix://:hunter2@/s",
        "unix://hunter2",
        "redis://hunter2@r@",
        "redis://u:hunter2@@",
        "redis://u:hunter2@r?db=1&db=2",
        "redis://u:!hunter2@r?password-encoding=b",
        "redis://u:@hunter2@ r",
        "tcp://:hunter2@r:0",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct address a;
        char text[400] = "";
        if (address_parse(&a, texts[i], text, sizeof text) == 0)
            address_show(&a, text, sizeof text);
        address_clear(&a);
        assert_string_not_equal(text, "");
        if (strstr(text, "hunter2"))
            fail_msg("%s: %s", texts[i], text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_password_is_never_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
