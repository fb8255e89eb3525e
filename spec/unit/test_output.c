/* needs: job/output.c base/text.c base/memory.c base/clock.c os/events.c os/descriptors.c */
/* test_output.c - what jobs write, with real pipes and processes. */
#include "job/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"

enum { OUT, ERR };

static struct output output;
static int reader[2]; /* where what is passed on comes out; the same twice if both are one file */

/* --- the stage --- */

/* Opens `output` while stdout and stderr are these. */
static void open_on(int out, int err)
{
    int saved[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    int result = output_open(&output);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], STDOUT_FILENO + i);
        close(saved[i]);
    }
    assert_int_equal(result, 0);
}

static void stage(int files)
{
    int ends[2][2];
    for (int i = 0; i < files; i++) {
        assert_int_equal(pipe2(ends[i], O_CLOEXEC), 0);
        fcntl(ends[i][0], F_SETFL, O_NONBLOCK);
    }
    open_on(ends[0][1], ends[files - 1][1]);
    for (int i = 0; i < files; i++)
        close(ends[i][1]);
    reader[OUT] = ends[0][0];
    reader[ERR] = ends[files - 1][0];
}

static void clear(void)
{
    output_close(&output);
    close(reader[OUT]);
    if (reader[ERR] != reader[OUT])
        close(reader[ERR]);
}

/* Starts a job that calls `perform`. */
static pid_t start(void (*perform)(void))
{
    output_begin(&output);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid)
        return pid;
    output_attach(&output);
    perform();
    _exit(0);
}

static void finish(pid_t pid)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    output_end(&output, false);
}

static void run(void (*perform)(void))
{
    finish(start(perform));
}

static void say(int fd, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(fd, text, len);
        if (n < 0)
            _exit(1);
        text += n;
        len -= (size_t)n;
    }
}

#define SAY(fd, text) say(fd, text, sizeof(text) - 1)

/* All that came out so far. */
static size_t come_out(int which, char *text, size_t size)
{
    size_t got = 0;
    ssize_t n;
    while (got < size && (n = read(reader[which], text + got, size - got)) > 0)
        got += (size_t)n;
    return got;
}

static void expect_out(int which, const char *expected, size_t len)
{
    static char text[256 * 1024];
    size_t got = come_out(which, text, sizeof text);
    assert_int_equal(got, len);
    assert_memory_equal(text, expected, len);
}

static void expect_kept(const char *expected)
{
    size_t len;
    char *text = output_text(&output, &len);
    if (!expected) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
    free(text);
}

/* --- what goes through --- */

static void say_both(void)
{
    SAY(1, "one\n");
    SAY(2, "two\n");
    SAY(1, "three");
}

static void test_two_files(void **unused)
{
    (void)unused;
    stage(2);
    run(say_both);
    expect_out(OUT, "one\nthree", 9);
    expect_out(ERR, "two\n", 4);
    clear();
}

static void test_one_file_keeps_the_order(void **unused)
{
    (void)unused;
    stage(1);
    run(say_both);
    expect_out(OUT, "one\ntwo\nthree", 13);
    expect_kept("one\ntwo\nthree");
    clear();
}

static void say_nothing(void)
{
}

static void test_nothing_of_the_job_before(void **unused)
{
    (void)unused;
    stage(2);
    run(say_both);
    come_out(OUT, (char[64]){0}, 64);
    run(say_nothing);
    expect_kept(NULL);
    expect_out(OUT, "", 0);
    clear();
}

static void say_line_by_stdio(void)
{
    printf("a line\nno line");
    raise(SIGKILL); /* no fflush */
}

static void test_stdout_is_line_buffered(void **unused)
{
    (void)unused;
    stage(2);
    run(say_line_by_stdio);
    expect_out(OUT, "a line\n", 7);
    clear();
}

static void say_as_it_runs(void)
{
    SAY(1, "working");
    pause();
}

static void test_comes_while_the_job_runs(void **unused)
{
    (void)unused;
    struct events ev;
    events_init_plain(&ev);
    stage(2);
    pid_t pid = start(say_as_it_runs);
    output_watch(&output, &ev);
    struct pollfd in = {.fd = ev.fd[EVENTS_STDOUT], .events = ev.want[EVENTS_STDOUT]};
    assert_int_equal(poll(&in, 1, 5000), 1);
    output_pass(&output);
    expect_out(OUT, "working", 7);
    kill(pid, SIGKILL);
    finish(pid);
    clear();
}

#define LINE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\n" /* 63 */
#define LINES 1000

static void say_lines(void)
{
    for (int i = 0; i < LINES; i++)
        SAY(1, LINE);
}

/* Where several workers write to one pipe, what they write at once must be whole lines. */
static void test_pieces_are_whole_lines(void **unused)
{
    (void)unused;
    int ends[2];
    char piece[2 * PIPE_BUF];
    size_t sum = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
    open_on(ends[1], ends[1]);
    output.stream[0].target = ends[1]; /* no pipe: it would be 1, which is the test's again */
    pid_t pid = start(say_lines);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    while (sum < LINES * (sizeof LINE - 1)) {
        output_pass(&output);
        for (ssize_t n; (n = recv(ends[0], piece, sizeof piece, 0)) > 0; sum += (size_t)n) {
            assert_true(n <= PIPE_BUF);
            assert_int_equal((size_t)n % (sizeof LINE - 1), 0);
            assert_int_equal(piece[n - 1], '\n');
        }
    }
    output_close(&output);
    close(ends[0]);
}

/* --- what is kept --- */

static void say_odd(void)
{
    SAY(1, "tab\tbell\a\x1B[31mred \xFF \xC3\xA9\r\n\0end");
}

static void test_is_made_printable(void **unused)
{
    (void)unused;
    stage(2);
    run(say_odd);
    expect_kept("tab\tbell\\x07\\x1B[31mred ? \xC3\xA9\\r\n\\x00end");
    clear();
}

#define MUCH 99999

static void say_much(void)
{
    static char text[MUCH];
    for (size_t i = 0; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    text[sizeof text - 1] = '!';
    say(1, text, sizeof text);
}

static void test_keeps_the_last_from_a_whole_character(void **unused)
{
    (void)unused;
    static char all[MUCH + 1];
    size_t len;
    stage(1);
    pid_t pid = start(say_much);
    size_t got = 0;
    for (int64_t until = clock_after(10); got < MUCH && clock_ms() < until;) {
        output_pass(&output);
        got += come_out(OUT, all + got, sizeof all - got);
    }
    finish(pid);
    got += come_out(OUT, all + got, sizeof all - got);
    assert_int_equal(got, MUCH);
    char *text = output_text(&output, &len);
    assert_int_equal(len, OUTPUT_KEPT - 1); /* it would begin inside a character */
    assert_memory_equal(text, "\xC3\xA9\xC3\xA9", 4);
    assert_string_equal(text + len - 3, "\xC3\xA9!");
    free(text);
    clear();
}

/* --- readers that do not read, and other troubles --- */

static void fill(int fd)
{
    char text[4096] = {0};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (write(fd, text, sizeof text) > 0)
        ;
}

/* How many milliseconds they take. */
static int64_t run_twenty(void)
{
    int64_t began = clock_ms();
    for (int i = 0; i < 20; i++)
        run(say_both);
    return clock_ms() - began;
}

static void test_does_not_wait_for_its_reader(void **unused)
{
    static char junk[1024 * 1024];
    (void)unused;
    stage(2);
    int64_t usual = run_twenty();
    come_out(OUT, junk, sizeof junk);
    come_out(ERR, junk, sizeof junk);
    fill(output.stream[OUT].target);
    int64_t began = clock_ms();
    run(say_both);
    assert_in_range(clock_ms() - began, 50, 1000 + usual);
    expect_kept("one\nthreetwo\n"); /* kept all the same; each stream for itself */
    assert_in_range(run_twenty(), 0, 1000 + 3 * usual); /* does not wait again for every job */
    come_out(OUT, junk, sizeof junk);
    run(say_both);
    expect_out(OUT, "one\nthree", 9); /* and nothing of what was dropped comes late */
    clear();
}

static void test_a_job_waits_for_the_reader(void **unused)
{
    (void)unused;
    static char text[LINES * sizeof LINE];
    size_t got = 0;
    struct events ev;
    events_init_plain(&ev);
    stage(1);
    fill(output.stream[OUT].target);
    pid_t pid = start(say_lines);
    assert_int_equal(poll(&(struct pollfd){output.stream[OUT].read_end, POLLIN, 0}, 1, -1), 1);
    output_pass(&output);
    output_watch(&output, &ev);
    assert_int_equal(ev.fd[EVENTS_STDOUT], output.stream[OUT].target);
    assert_int_equal(ev.want[EVENTS_STDOUT], POLLOUT);
    come_out(OUT, text, sizeof text);
    while (come_out(OUT, text, sizeof text) > 0)
        ;
    for (int64_t until = clock_after(10); got < LINES * (sizeof LINE - 1) && clock_ms() < until;) {
        output_pass(&output);
        got += come_out(OUT, text + got, sizeof text - got);
    }
    assert_int_equal(got, LINES * (sizeof LINE - 1));
    finish(pid);
    clear();
}

static void test_a_reader_that_is_gone_is_no_matter(void **unused)
{
    (void)unused;
    signal(SIGPIPE, SIG_IGN);
    stage(1);
    close(reader[OUT]);
    reader[OUT] = reader[ERR] = -1;
    run(say_both);
    expect_kept("one\ntwo\nthree");
    output_close(&output);
    signal(SIGPIPE, SIG_DFL);
}

static void stop_waiting(void)
{
    fcntl(1, F_SETFL, O_NONBLOCK);
}

static void say_whether_it_blocks(void)
{
    if (fcntl(1, F_GETFL) & O_NONBLOCK)
        SAY(2, "does not block");
}

static void test_each_job_gets_a_pipe_that_blocks(void **unused)
{
    (void)unused;
    stage(2);
    run(stop_waiting);
    run(say_whether_it_blocks);
    expect_kept(NULL);
    clear();
}

static void test_survivors_do_not_reach_the_next_job(void **unused)
{
    (void)unused;
    stage(2);
    int left = dup(output.stream[OUT].write_end);
    pid_t pid = start(say_both);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    output_end(&output, true);
    come_out(OUT, (char[64]){0}, 64);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(write(left, "late", 4), -1);
    assert_int_equal(errno, EPIPE);
    signal(SIGPIPE, SIG_DFL);
    close(left);
    run(say_both);
    expect_kept("one\nthreetwo\n");
    clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_files),
        cmocka_unit_test(test_one_file_keeps_the_order),
        cmocka_unit_test(test_nothing_of_the_job_before),
        cmocka_unit_test(test_stdout_is_line_buffered),
        cmocka_unit_test(test_comes_while_the_job_runs),
        cmocka_unit_test(test_pieces_are_whole_lines),
        cmocka_unit_test(test_is_made_printable),
        cmocka_unit_test(test_keeps_the_last_from_a_whole_character),
        cmocka_unit_test(test_does_not_wait_for_its_reader),
        cmocka_unit_test(test_a_job_waits_for_the_reader),
        cmocka_unit_test(test_a_reader_that_is_gone_is_no_matter),
        cmocka_unit_test(test_each_job_gets_a_pipe_that_blocks),
        cmocka_unit_test(test_survivors_do_not_reach_the_next_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
