/* needs: os/descriptors.c base/memory.c */
/* test_descriptors.c - what is entered is let go of, and nothing else. */
#include "os/descriptors.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 40 /* more than the list has room for at first */

static int open_one(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void all_that_are_entered_are_closed(void **state)
{
    int owned[MANY], other = open_one();
    (void)state;
    for (int i = 0; i < MANY; i++)
        owned[i] = descriptors_own(open_one());
    assert_int_equal(descriptors_own(-1), -1);
    descriptors_let_go();
    for (int i = 0; i < MANY; i++)
        assert_false(is_open(owned[i]));
    assert_true(is_open(other));
    close(other);
}

/* Its number may be somebody else's by then. */
static void one_that_was_closed_before_is_left_alone(void **state)
{
    int first = descriptors_own(open_one()), second = descriptors_own(open_one());
    (void)state;
    descriptors_close(first);
    descriptors_close(-1);
    assert_false(is_open(first));
    assert_int_equal(open_one(), first); /* the lowest number that is free */
    descriptors_let_go();
    assert_true(is_open(first));
    assert_false(is_open(second));
    close(first);
}

static void one_that_is_given_away_stays_open(void **state)
{
    int fd = descriptors_own(open_one());
    (void)state;
    descriptors_disown(fd);
    descriptors_disown(fd);
    descriptors_let_go();
    assert_true(is_open(fd));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_are_entered_are_closed),
        cmocka_unit_test(one_that_was_closed_before_is_left_alone),
        cmocka_unit_test(one_that_is_given_away_stays_open),
    };
    return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
