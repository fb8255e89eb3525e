/* needs: base/log.c base/text.c */
/* test_log_file.c - a log that is a file: opened again, gone, full; the program goes on. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "log_lines.h"
#include "temporary.h"

static char folder[TEMPORARY_SIZE];

static int enter_folder(void **unused)
{
    (void)unused;
    temporary_path(folder, "log");
    return mkdtemp(folder) && chdir(folder) == 0 ? open_lines(unused) : -1;
}

static int leave_folder(void **unused)
{
    close_lines(unused);
    unlink("log");
    unlink("log.1");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void assert_content(const char *path, const char *expected)
{
    char text[500] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(len, strlen(expected));
    assert_string_equal(text, expected);
}

static void test_file(void **unused)
{
    (void)unused;
    use((struct log_settings){.file = "log"});
    say("one");
    use((struct log_settings){.file = "log"});
    say("two");
    assert_content("log", "*** one\n*** two\n");
    assert_string_equal(next_line(), "");
    use((struct log_settings){0});
    say("three");
    assert_string_equal(next_line(), "*** three\n");
    assert_content("log", "*** one\n*** two\n");
}

static void test_set_level_changes_nothing_else(void **unused)
{
    (void)unused;
    use((struct log_settings){.file = "log", .level = LOG_LEVEL_ERROR});
    log_set_level(LOG_LEVEL_INFO);
    log_info("info");
    log_debug("debug");
    assert_content("log", "*** info\n");
}

static void test_reopen(void **unused)
{
    (void)unused;
    use((struct log_settings){.file = "log"});
    say("one");
    assert_int_equal(rename("log", "log.1"), 0);
    say("two");
    assert_int_equal(log_reopen(), 0);
    say("three");
    assert_content("log.1", "*** one\n*** two\n");
    assert_content("log", "*** three\n");
    use((struct log_settings){0});
    assert_int_equal(log_reopen(), 0); /* nothing to open */
}

static void test_reopen_fails(void **unused)
{
    (void)unused;
    use((struct log_settings){.file = "log"});
    unlink("log");
    assert_int_equal(mkdir("log", 0700), 0);
    assert_int_equal(log_reopen(), -1);
    assert_int_equal(errno, EISDIR);
    assert_int_equal(rmdir("log"), 0);
    say("still there"); /* goes to the old, nameless one */
    assert_string_equal(next_line(), "");
    assert_int_equal(log_reopen(), 0);
    say("new");
    assert_content("log", "*** new\n");
}

static void test_file_cannot_be_opened(void **unused)
{
    (void)unused;
    struct log_settings settings = {.level = LOG_LEVEL_WARN, .file = "missing/log"};
    assert_int_equal(log_open(&settings), -1);
    assert_int_equal(errno, ENOENT);
    say("to stderr");
    assert_string_equal(next_line(), "*** to stderr\n");
    assert_int_equal(mkfifo("log", 0600), 0);
    settings.file = "log";
    assert_int_equal(log_open(&settings), -1); /* does not wait for a reader */
    assert_int_equal(errno, ENXIO);
}

static void test_file_is_not_inherited(void **unused)
{
    (void)unused;
    int next = dup(STDERR_FILENO); /* the number the file will get */
    close(next);
    use((struct log_settings){.file = "log"});
    assert_true(fcntl(next, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(next, F_GETFL) & O_APPEND);
}

static void test_full_device(void **unused)
{
    (void)unused;
    use((struct log_settings){.file = "/dev/full"});
    say("one");
    say("two");
    use((struct log_settings){.file = "log"});
    say("three");
    assert_content("log", "*** 2 log lines are missing here\n*** three\n");
}

/* The disk gets full in the middle of a line: the next one still starts on a line of its own. */
static void test_file_gets_full(void **unused)
{
    (void)unused;
    struct rlimit before, small;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    use((struct log_settings){.file = "log"});
    say("one");
    small = (struct rlimit){.rlim_cur = 11, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    say("cut");
    say("lost");
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    say("two");
    assert_content("log", "*** one\n***\n*** 2 log lines are missing here\n*** two\n");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_file),
        IN_FOLDER(test_set_level_changes_nothing_else),
        IN_FOLDER(test_reopen),
        IN_FOLDER(test_reopen_fails),
        IN_FOLDER(test_file_cannot_be_opened),
        IN_FOLDER(test_file_is_not_inherited),
        IN_FOLDER(test_full_device),
        IN_FOLDER(test_file_gets_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
