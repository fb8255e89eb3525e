/* needs: os/title.c base/text.c */
/* test_title.c - what ps sees, in a process of its own: this program again, with `child` as its
 * first argument.
 *
 * Each start of the child writes one byte to descriptor STARTS, so that a second execution is seen.
 * The child then does one thing, writes a report to stdout and waits until stdin ends, so that
 * /proc can be looked at. */
#include "os/title.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "temporary.h"

enum { STARTS = 60 };

/* What one child showed. */
struct seen {
    char report[8192];
    char cmdline[8192]; /* NULs between arguments as '|'; those at the end taken off */
    char environment[8192];
    char comm[32];
    int starts;
};

static char program[4096]; /* not /proc/self/exe: under valgrind that is valgrind */

static char long_title[3000];

/* ---- in the child ---- */

static void do_nothing(char **argv)
{
    (void)argv;
}

static void do_show(char **argv)
{
    title_set_prefix(strcmp(argv[3], "long") == 0 ? long_title : argv[3]);
    title_set("%s", argv[4] ? argv[4] : long_title);
}

static void do_shorter(char **argv)
{
    (void)argv;
    title_set("%s", long_title);
    title_set("%s", "x");
}

/* Everything that a program does with its environment still works. */
static void do_environment(char **argv)
{
    static char put[] = "PUT=1";
    printf("KEEP=%s PAD=%s", getenv("KEEP"), getenv("RESQUE_LUA_TITLE") ? "there" : "gone");
    setenv("NEW", "2", 1);
    setenv("KEEP", "changed", 1);
    putenv(put);
    title_set("over it all");
    unsetenv("EMPTY");
    printf(" argv=%s,%s,%s", argv[0], argv[1], argv[2]);
    printf(" KEEP=%s NEW=%s PUT=%s EMPTY=%s", getenv("KEEP"), getenv("NEW"), getenv("PUT"),
           getenv("EMPTY") ? "there" : "gone");
    for (char **variable = environ; *variable; variable++)
        printf(" [%s]", *variable);
    printf(" %s %s", program_invocation_name, program_invocation_short_name);
    clearenv();
    printf(" %s", getenv("KEEP") ? "there" : "cleared");
}

/* The environment that a job's own processes get. */
static void do_spawn(char **argv)
{
    (void)argv;
    title_set("spawning");
    fflush(stdout);
    if (system("env") != 0)
        exit(1);
}

static const struct action {
    const char *name;
    void (*act)(char **argv);
} actions[] = {
    {"nothing", do_nothing},         {"show", do_show},   {"shorter", do_shorter},
    {"environment", do_environment}, {"spawn", do_spawn},
};

static int child_main(int argc, char **argv)
{
    char byte = 's';
    if (write(STARTS, &byte, 1) != 1 || title_init(argc, &argv) != 0)
        return 1;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (strcmp(argv[2], actions[i].name) == 0)
            actions[i].act(argv);
    putchar('\n');
    fflush(stdout);
    close(STDOUT_FILENO); /* the report is complete */
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
    return 0;
}

/* ---- in the test ---- */

static size_t read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    for (ssize_t n; used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0;)
        used += (size_t)n;
    text[used] = '\0';
    return used;
}

/* A file of /proc/<pid>, NULs inside as '|'. */
static void read_proc(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    size_t len = read_all(fd, text, size);
    close(fd);
    while (len > 0 && text[len - 1] == '\0')
        len--;
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0')
            text[i] = '|';
    text[len] = '\0';
}

struct pipes {
    int in[2], out[2], starts[2];
};

static void execute(struct pipes *p, char *const *argv, char *const *env)
{
    dup2(p->in[0], STDIN_FILENO);
    dup2(p->out[1], STDOUT_FILENO);
    dup2(p->starts[1], STARTS);
    execve(program, argv, env);
    _exit(1);
}

static struct seen run(char *const *argv, char *const *env)
{
    struct seen seen = {0};
    struct pipes p;
    char starts[64];
    int status;
    assert_true(pipe2(p.in, O_CLOEXEC) == 0 && pipe2(p.out, O_CLOEXEC) == 0 &&
                pipe2(p.starts, O_CLOEXEC) == 0);
    pid_t pid = fork();
    if (pid == 0)
        execute(&p, argv, env);
    close(p.in[0]);
    close(p.out[1]);
    close(p.starts[1]);
    read_all(p.out[0], seen.report, sizeof seen.report);
    read_proc(pid, "cmdline", seen.cmdline, sizeof seen.cmdline);
    read_proc(pid, "environ", seen.environment, sizeof seen.environment);
    read_proc(pid, "comm", seen.comm, sizeof seen.comm);
    close(p.in[1]);
    seen.starts = (int)read_all(p.starts[0], starts, sizeof starts);
    close(p.out[0]);
    close(p.starts[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    return seen;
}

#define RUN(env, ...)                                                                              \
    run((char *[]){(char *)"./some/resque-lua", (char *)"child", __VA_ARGS__, NULL}, env)
#define ARG(text) ((char *)(text))

static char filling[TITLE_SPACE + 8];
static char *no_environment[] = {NULL};
static char *environment[] = {ARG("KEEP=kept"), ARG("SECRET=hunter2"), ARG("EMPTY="), filling,
                              NULL};
static char *small_environment[] = {ARG("KEEP=kept"), ARG("SECRET=hunter2"), ARG("EMPTY="), NULL};

/* With each: enough space, some, none. */
static char **const environments[] = {environment, small_environment, no_environment};

static void assert_comm(const struct seen *seen)
{
    char expected[17]; /* comm is cut at 15 bytes */
    const char *slash = strrchr(program, '/');
    snprintf(expected, 16, "%s", slash + 1);
    assert_memory_equal(seen->comm, expected, strlen(expected));
}

static void test_title_is_seen(void **unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        struct seen seen =
            RUN(environments[i], ARG("show"), ARG(""), ARG("Waiting for mail,default"));
        assert_string_equal(seen.cmdline, "resque-1.0: Waiting for mail,default");
        assert_comm(&seen);
    }
}

static void test_executes_once_more_at_most(void **unused)
{
    (void)unused;
    static char *own_padding[] = {ARG("RESQUE_LUA_TITLE=x"), NULL};
    for (int i = 0; i < 3; i++)
        assert_int_equal(RUN(environments[i], ARG("nothing")).starts, i == 0 ? 1 : 2);
    assert_int_equal(RUN(own_padding, ARG("nothing")).starts, 1);
}

/* A title of TITLE_SPACE bytes with its NUL fits whatever the environment was; a longer one is cut.
 */
static void test_space(void **unused)
{
    (void)unused;
    char expected[TITLE_SPACE];
    memset(stpcpy(expected, "resque-1.0: "), 'T', TITLE_SPACE - strlen("resque-1.0: "));
    for (int i = 0; i < 3; i++) {
        struct seen seen = RUN(environments[i], ARG("show"), ARG(""));
        size_t len = strlen(seen.cmdline);
        assert_in_range(len, TITLE_SPACE - 1, TITLE_SPACE + 200);
        assert_memory_equal(seen.cmdline, expected, TITLE_SPACE - 1);
    }
}

static void test_cut_between_characters(void **unused)
{
    (void)unused;
    for (int shift = 0; shift < 3; shift++) {
        char title[3001] = "";
        memset(title, 'x', (size_t)shift);
        for (char *at = title + shift; at + 3 < title + sizeof title;)
            at = stpcpy(at, "\xE6\xAA\xA2");
        struct seen seen = RUN(no_environment, ARG("show"), ARG(""), title);
        size_t len = strlen(seen.cmdline);
        assert_true(len > TITLE_SPACE - 4);
        assert_string_equal(seen.cmdline + len - 3, "\xE6\xAA\xA2");
    }
}

static void test_shorter_title_leaves_nothing(void **unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        struct seen seen = RUN(environments[i], ARG("shorter"));
        assert_string_equal(seen.cmdline, "resque-1.0: x");
        assert_string_equal(seen.environment, "");
    }
}

static void test_what_is_written(void **unused)
{
    (void)unused;
    static const struct {
        const char *prefix, *text, *title;
    } rows[] = {
        {"", "Paused", "resque-1.0: Paused"},
        {"app1 ", "Paused", "app1 resque-1.0: Paused"},
        {"", "Processing a\nb since [\x1B]\xFF", "resque-1.0: Processing a\\nb since [\\x1B]?"},
        {"x\n", "y", "x\\nresque-1.0: y"},
        {"", "Waiting for resque-web,resque-webs,a-resque-web",
         "resque-1.0: Waiting for resque_web,resque_webs,a-resque_web"},
        {"resque-web ", "x", "resque_web resque-1.0: x"},
        {"", "gr\xC3\xBC\xC3\x9F", "resque-1.0: gr\xC3\xBC\xC3\x9F"},
        {"", "100%s", "resque-1.0: 100%s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = RUN(environment, ARG("show"), ARG(rows[i].prefix), ARG(rows[i].text));
        assert_string_equal(seen.cmdline, rows[i].title);
    }
}

/* What Ruby looks for stays there, however long the prefix. */
static void test_long_prefix(void **unused)
{
    (void)unused;
    struct seen seen = RUN(no_environment, ARG("show"), ARG("long"), ARG("Paused"));
    assert_non_null(strstr(seen.cmdline, "resque-1.0: Paused"));
}

static void test_environment_goes_on_working(void **unused)
{
    (void)unused;
    char expected[4096];
    for (int i = 0; i < 2; i++) {
        struct seen seen = RUN(environments[i], ARG("environment"));
        snprintf(expected, sizeof expected,
                 "KEEP=kept PAD=gone argv=./some/resque-lua,child,environment KEEP=changed NEW=2 "
                 "PUT=1 EMPTY=gone "
                 "[KEEP=changed] [SECRET=hunter2]%s%s%s [NEW=2] [PUT=1] ./some/resque-lua "
                 "resque-lua cleared\n",
                 i == 0 ? " [" : "", i == 0 ? filling : "", i == 0 ? "]" : "");
        assert_string_equal(seen.report, expected);
        assert_string_equal(seen.cmdline, "resque-1.0: over it all");
    }
}

static void test_secrets_are_wiped(void **unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        struct seen seen = RUN(environments[i], ARG("nothing"));
        assert_string_equal(seen.environment, "");
        assert_string_equal(seen.cmdline,
                            "./some/resque-lua|child|nothing"); /* until a title is set */
    }
}

static void test_padding_is_not_passed_on(void **unused)
{
    (void)unused;
    static char *with_path[] = {ARG("PATH=/usr/bin:/bin"), ARG("KEEP=kept"), NULL};
    struct seen seen = RUN(with_path, ARG("spawn"));
    assert_int_equal(seen.starts, 2);
    assert_non_null(strstr(seen.report, "KEEP=kept\n"));
    assert_null(strstr(seen.report, "RESQUE_LUA_TITLE"));
}

/* Long arguments are space too, and are gone when the title is there. */
static void test_arguments_are_overwritten(void **unused)
{
    (void)unused;
    struct seen seen =
        RUN(no_environment, ARG("show"), ARG(""), ARG("x"), long_title, ARG("redis://:hunter2@r"));
    assert_int_equal(seen.starts, 1);
    assert_string_equal(seen.cmdline, "resque-1.0: x");
}

static char own_path[sizeof program];

/* As resque-enqueue, which is a link: the process keeps the name it was started by. */
static void test_started_through_a_link(void **unused)
{
    (void)unused;
    temporary_path(program, "title");
    close(mkstemp(program));
    unlink(program);
    assert_int_equal(symlink(own_path, program), 0);
    struct seen seen = RUN(no_environment, ARG("show"), ARG(""), ARG("x"));
    unlink(program);
    assert_int_equal(seen.starts, 2);
    assert_string_equal(seen.cmdline, "resque-1.0: x");
    assert_comm(&seen);
    strcpy(program, own_path);
}

static void copy_file(const char *from, int to)
{
    char block[65536];
    int in = open(from, O_RDONLY);
    assert_true(in >= 0);
    for (ssize_t n; (n = read(in, block, sizeof block)) > 0;)
        assert_int_equal(write(to, block, (size_t)n), n);
    close(in);
}

/* No path leads to the program any more; it still gets its space. */
static void test_started_from_a_removed_file(void **unused)
{
    (void)unused;
    char copy[TEMPORARY_SIZE];
    temporary_path(copy, "title");
    int fd = mkstemp(copy);
    assert_true(fd >= 0);
    copy_file(own_path, fd);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    fd = open(copy, O_RDONLY);
    unlink(copy);
    snprintf(program, sizeof program, "/proc/self/fd/%d", fd);
    struct seen seen = RUN(no_environment, ARG("show"), ARG(""), ARG("x"));
    close(fd);
    assert_int_equal(seen.starts, 2);
    assert_string_equal(seen.cmdline, "resque-1.0: x");
    assert_comm(&seen);
    strcpy(program, own_path);
}

static void test_without_init(void **unused)
{
    (void)unused;
    char *none[] = {NULL}, **argv = none;
    assert_int_equal(title_init(0, &argv), -1);
    assert_int_equal(errno, EINVAL);
    assert_ptr_equal(argv, none);
    title_set("nothing happens");
}

int main(int argc, char **argv)
{
    memset(filling, 'F', sizeof filling - 1);
    filling[7] = '=';
    memset(long_title, 'T', sizeof long_title - 1);
    if (argc > 2 && strcmp(argv[1], "child") == 0)
        return child_main(argc, argv);
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    if (len < 0)
        return 1;
    program[len] = '\0';
    strcpy(own_path, program);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_title_is_seen),
        cmocka_unit_test(test_executes_once_more_at_most),
        cmocka_unit_test(test_space),
        cmocka_unit_test(test_cut_between_characters),
        cmocka_unit_test(test_shorter_title_leaves_nothing),
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_long_prefix),
        cmocka_unit_test(test_environment_goes_on_working),
        cmocka_unit_test(test_secrets_are_wiped),
        cmocka_unit_test(test_padding_is_not_passed_on),
        cmocka_unit_test(test_arguments_are_overwritten),
        cmocka_unit_test(test_started_through_a_link),
        cmocka_unit_test(test_started_from_a_removed_file),
        cmocka_unit_test(test_without_init),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
