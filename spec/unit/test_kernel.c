/* needs: os/kernel.c os/children.c os/identity.c os/procfs.c base/log.c base/text.c base/clock.c */
/* test_kernel.c - what is refused is named, with the usual cause, and the process stays as it was.
 */
#include "os/kernel.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/refuse_call.h"

/* In a process of its own that may not do `call`: kernel_try's words, "" when it has none. */
static void words_without(const struct refused_call *call, int error, char text[1024])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char err[1024] = "";
        if (refuse(call, error) < 0)
            snprintf(err, sizeof err, "no filter: %s", strerror(errno));
        else if (kernel_try(err, sizeof err) == 0 && err[0])
            snprintf(err, sizeof err, "words without an error");
        _exit(write(ends[1], err, strlen(err) + 1) < 0);
    }
    close(ends[1]);
    assert_true(read(ends[0], text, 1024) > 0);
    close(ends[0]);
    waitpid(pid, NULL, 0);
}

static void what_is_refused_is_named_with_the_usual_cause(void **state)
{
    static const struct {
        int error;
        const char *cause;
    } rows[] = {{EPERM, "Docker before 20.10"}, {ENOSYS, "Linux 5.3 or later"}};
    (void)state;
    for (size_t i = 0; strcmp(refusable[i].name, "seccomp") != 0; i++) /* which is test_filter's */
        for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
            char text[1024], begin[256];
            words_without(&refusable[i], rows[j].error, text);
            snprintf(begin, sizeof begin, "this system does not let us do what jobs need: %s: %s\n",
                     refusable[i].name, strerror(rows[j].error));
            assert_memory_equal(text, begin, strlen(begin));
            assert_non_null(strstr(text, "\nhint: "));
            assert_non_null(strstr(text, rows[j].cause));
        }
}

static void nothing_of_the_process_changes(void **state)
{
    int subreaper = 0, death_signal = 0, next = dup(0);
    char err[1024];
    (void)state;
    close(next);
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    assert_int_equal(kernel_try(err, sizeof err), 0);
    prctl(PR_GET_PDEATHSIG, &death_signal, 0, 0, 0);
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    assert_int_equal(death_signal, SIGUSR1);
    assert_int_equal(subreaper, 1);
    int status = 0, after = dup(0);
    close(after);
    assert_int_equal(after, next);
    assert_int_equal(waitpid(child, &status, 0), child); /* it was not taken from us */
    assert_int_equal(WEXITSTATUS(status), 7);
}

/* Nothing to see under valgrind, which does not know pidfd_open itself. That nothing is missing
 * where it is there is what every other test of the program shows. */
static bool usable(void)
{
    char err[1024];
    return kernel_try(err, sizeof err) == 0 || !strstr(err, "pidfd_open: Function not");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_is_named_with_the_usual_cause),
        cmocka_unit_test(nothing_of_the_process_changes),
    };
    return usable() ? cmocka_run_group_tests_name("kernel", tests, NULL, NULL) : 0;
}
