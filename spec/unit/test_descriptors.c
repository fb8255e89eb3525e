/* needs: os/descriptors.c base/memory.c */
/* test_descriptors.c - what a forked process lets go of: all that was entered and is still there.
 */
#include "os/descriptors.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 100 /* more than the list has room for at first */

static int null(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void closes_what_it_was_given(void **state)
{
    int fd = descriptors_own(null());
    (void)state;
    assert_true(is_open(fd));
    descriptors_close(fd);
    assert_false(is_open(fd));
    assert_int_equal(descriptors_own(-1), -1);
    descriptors_close(-1);
}

/* Exits with how many of the wrong ones are open or closed. */
static void let_go(const int own[MANY], int others, int disowned)
{
    int wrong = 0;
    descriptors_let_go();
    for (int i = 0; i < MANY; i++)
        wrong += is_open(own[i]);
    wrong += !is_open(others) + !is_open(disowned);
    int again = null(); /* has the number of one that was let go of, and is nobody's now */
    descriptors_let_go();
    _exit(wrong + !is_open(again));
}

static void a_forked_process_lets_go_of_all_that_is_left(void **state)
{
    int own[MANY], others = null(), disowned = descriptors_own(null()), status;
    (void)state;
    for (int i = 0; i < MANY; i++)
        own[i] = descriptors_own(null());
    descriptors_disown(disowned);
    pid_t pid = fork();
    if (pid == 0)
        let_go(own, others, disowned);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (int i = 0; i < MANY; i++) {
        assert_true(is_open(own[i])); /* here nothing has changed */
        descriptors_close(own[i]);
    }
    close(others);
    close(disowned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_what_it_was_given),
        cmocka_unit_test(a_forked_process_lets_go_of_all_that_is_left),
    };
    return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
