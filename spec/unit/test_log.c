/* needs: base/log.c base/text.c base/json_check.c */
/* test_log.c - what stands in the log, byte by byte, and that no log can stop or harm the program.
 * A log that is a file is test_log_file's. */
#include <regex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/json_check.h"
#include "base/text.h"
#include "log_lines.h"

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    if (result != 0)
        fail_msg("%s does not match %s", text, pattern);
}

static void assert_json(const char *line)
{
    char err[100];
    if (json_check(line, strlen(line), 1, err, sizeof err) != 0)
        fail_msg("%s: %s", line, err);
}

static void say_at_every_level(void)
{
    redirect(lines[1]);
    log_error("e%d", 0);
    log_warn("w%d", 1);
    log_notice("n%d", 2);
    log_info("i%d", 3);
    log_debug("d%d", 4);
    restore();
}

static void test_levels(void **unused)
{
    (void)unused;
    static const char *const expected[] = {"*** e0\n", "*** w1\n", "*** n2\n", "*** i3\n"};
    for (enum log_level level = LOG_LEVEL_ERROR; level < LOG_LEVEL_DEBUG; level++) {
        use((struct log_settings){.level = level});
        say_at_every_level();
        for (enum log_level i = LOG_LEVEL_ERROR; i <= level; i++)
            assert_string_equal(next_line(), expected[i]);
        assert_string_equal(next_line(), "");
        for (enum log_level i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++)
            assert_int_equal(log_wants(i), i <= level);
    }
}

/* VVERBOSE: php-resque's form, local time; the start line stays *** as there. */
static void test_very_verbose(void **unused)
{
    (void)unused;
    static const char *const words[] = {"e0", "w1", NULL, "i3", "d4"};
    setenv("TZ", "SPEC-05:30", 1);
    tzset();
    use((struct log_settings){.level = LOG_LEVEL_DEBUG});
    time_t before = time(NULL);
    say_at_every_level();
    for (int i = 0; i < 5; i++) {
        const char *line = next_line();
        if (!words[i]) {
            assert_string_equal(line, "*** n2\n");
            continue;
        }
        struct tm parts = {0};
        const char *end = strptime(line, "** [%H:%M:%S %Y-%m-%d] ", &parts);
        assert_non_null(end);
        assert_memory_equal(end, words[i], 2);
        assert_string_equal(end + 2, "\n");
        time_t shown = timegm(&parts) - (5 * 60 + 30) * 60;
        assert_true(shown >= before && shown <= time(NULL));
    }
}

static void test_log_at(void **unused)
{
    (void)unused;
    use((struct log_settings){.level = LOG_LEVEL_WARN});
    redirect(lines[1]);
    log_at(LOG_LEVEL_WARN, "%s-%d", "warn", 1);
    log_at(LOG_LEVEL_NOTICE, "no");
    restore();
    assert_string_equal(next_line(), "*** warn-1\n");
    assert_string_equal(next_line(), "");
}

#define TIME "\"time\":\"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z\""

static void test_json(void **unused)
{
    (void)unused;
    static const char *const levels[] = {"error", "warn", "notice", "info", "debug"};
    use((struct log_settings){.level = LOG_LEVEL_DEBUG, .json = true});
    say_at_every_level();
    for (int i = 0; i < 5; i++) {
        char pattern[300];
        const char *line = next_line();
        snprintf(pattern, sizeof pattern,
                 "^\\{" TIME ",\"level\":\"%s\",\"pid\":%ld,\"text\":\"%c%d\"\\}\n$", levels[i],
                 (long)getpid(), levels[i][0], i);
        assert_matches(line, pattern);
        assert_json(line);
    }
}

static void test_json_names(void **unused)
{
    (void)unused;
    use((struct log_settings){.level = LOG_LEVEL_ERROR, .json = true});
    char id[] = "host:7:a\"b";
    log_set_worker(id);
    log_set_job("4f2a");
    id[0] = 'X'; /* it was copied */
    say("one");
    log_set_worker("other:1:q");
    log_set_job(NULL);
    say("two");
    log_set_worker(NULL);
    log_set_job("\n");
    say("three");
    assert_matches(next_line(),
                   ",\"worker\":\"host:7:a\\\\\"b\",\"job\":\"4f2a\",\"text\":\"one\"\\}\n$");
    assert_matches(next_line(), ",\"pid\":[0-9]+,\"worker\":\"other:1:q\",\"text\":\"two\"\\}\n$");
    assert_matches(next_line(), ",\"pid\":[0-9]+,\"job\":\"\\\\\\\\n\",\"text\":\"three\"\\}\n$");
}

/* JSON time is UTC and now. */
static void test_json_time(void **unused)
{
    (void)unused;
    setenv("TZ", "SPEC-05:30", 1);
    tzset();
    use((struct log_settings){.level = LOG_LEVEL_ERROR, .json = true});
    time_t before = time(NULL);
    say("x");
    struct tm parts = {0};
    assert_non_null(strptime(next_line(), "{\"time\":\"%Y-%m-%dT%H:%M:%S.", &parts));
    time_t shown = timegm(&parts);
    assert_true(shown >= before && shown <= time(NULL));
}

static void test_hostile_text(void **unused)
{
    (void)unused;
    static const char text[] = "q\n*** forged\x1B[2J\r\"\\\xFF\xC2\x9B";
    use((struct log_settings){.level = LOG_LEVEL_ERROR});
    say(text);
    assert_string_equal(next_line(), "*** q\\n*** forged\\x1B[2J\\r\"\\?\\u{009B}\n");
    use((struct log_settings){.level = LOG_LEVEL_ERROR, .json = true});
    say(text);
    const char *line = next_line();
    assert_json(line);
    assert_non_null(
        strstr(line, "\"text\":\"q\\\\n*** forged\\\\x1B[2J\\\\r\\\"\\\\?\\\\u{009B}\"}\n"));
}

/* `unit` until it is too long: one write, at most LOG_LINE bytes, valid to its end, which says that
 * it was cut. */
static void assert_is_cut(const char *unit, const char *end, bool json)
{
    size_t n = strlen(unit), count = 3 * LOG_LINE / n;
    char *text = malloc(count * n + 1);
    for (size_t i = 0; i <= count; i++)
        memcpy(text + i * n, unit, i < count ? n : 1);
    text[count * n] = '\0';
    say(text);
    free(text);
    const char *line = next_line();
    size_t len = strlen(line), end_len = strlen(end);
    assert_in_range(len, LOG_LINE - 20, LOG_LINE);
    assert_string_equal(line + len - end_len, end);
    for (size_t at = 0; at < len;) {
        size_t step = text_utf8_length(line + at, len - at);
        assert_int_not_equal(step, 0);
        at += step;
    }
    if (json)
        assert_json(line);
}

static void test_long_lines(void **unused)
{
    (void)unused;
    static const char *const units[] = {
        "x",  "\xC3\xBC",     "\xE6\xAA\xA2", "\xF0\x9F\x98\x80", "\n", "\xE2\x80\xA8", "\"",
        "\\", "ab\xC3\xBC\"", "\xFF"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        use((struct log_settings){.level = LOG_LEVEL_ERROR});
        assert_is_cut(units[i], "…\n", false);
        use((struct log_settings){.level = LOG_LEVEL_ERROR, .json = true});
        assert_is_cut(units[i], "…\"}\n", true);
    }
}

/* A worker's list of queues may be long: its lines still have room for text. */
static void test_long_names(void **unused)
{
    (void)unused;
    char name[2 * LOG_LINE];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    use((struct log_settings){.level = LOG_LEVEL_ERROR, .json = true});
    log_set_worker(name);
    log_set_job(name);
    say("the text");
    const char *line = next_line();
    assert_json(line);
    assert_true(strlen(line) <= LOG_LINE);
    assert_non_null(strstr(line, "n…\",\"job\":\"nnn"));
    assert_non_null(strstr(line, "\"text\":\"the text\"}\n"));
}

static void test_longest_whole_line(void **unused)
{
    (void)unused;
    char text[LOG_LINE - 20];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    use((struct log_settings){.level = LOG_LEVEL_ERROR});
    say(text);
    const char *line = next_line();
    assert_int_equal(strlen(line), strlen("*** ") + strlen(text) + 1);
    assert_null(strstr(line, "…"));
}

static void test_errno_stays(void **unused)
{
    (void)unused;
    use((struct log_settings){.level = LOG_LEVEL_NOTICE});
    redirect(lines[1]);
    errno = ENOENT;
    log_error("%m");
    int after_line = errno;
    log_debug("nothing");
    int after_nothing = errno;
    close(STDERR_FILENO);
    errno = ENOENT;
    log_error("lost");
    int after_loss = errno;
    restore();
    assert_int_equal(after_line, ENOENT);
    assert_int_equal(after_nothing, ENOENT);
    assert_int_equal(after_loss, ENOENT);
    assert_string_equal(next_line(), "*** No such file or directory\n");
    say("here");
    assert_string_equal(next_line(), "*** 1 log lines are missing here\n");
    assert_string_equal(next_line(), "*** here\n");
}

/* In a child, because a SIGPIPE that gets through ends it. */
static void test_reader_gone(void **unused)
{
    (void)unused;
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGPIPE, SIG_DFL);
        redirect(ends[1]);
        for (int i = 0; i < 10; i++)
            log_error("nobody reads this");
        sigset_t pending, mask;
        sigpending(&pending);
        sigprocmask(SIG_SETMASK, NULL, &mask);
        _exit(sigismember(&pending, SIGPIPE) + 2 * sigismember(&mask, SIGPIPE));
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A SIGPIPE that was pending before is the program's own. */
static void test_own_sigpipe_stays_pending(void **unused)
{
    (void)unused;
    int ends[2];
    sigset_t pipe_signal, before, pending;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, &before);
    raise(SIGPIPE);
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    use((struct log_settings){.level = LOG_LEVEL_NOTICE});
    redirect(ends[1]);
    log_error("nobody reads this");
    restore();
    close(ends[1]);
    sigpending(&pending);
    assert_true(sigismember(&pending, SIGPIPE));
    sigtimedwait(&pipe_signal, NULL, &(struct timespec){0});
    sigprocmask(SIG_SETMASK, &before, NULL);
    say("");
    next_line();
    next_line();
}

/* A pipe nobody reads from fills up. Lines are then dropped, not waited for, and counted. */
static void test_full_pipe(void **unused)
{
    (void)unused;
    enum { TRIES = 1000 };
    char text[1000], big[65536 + LOG_LINE];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    use((struct log_settings){.level = LOG_LEVEL_NOTICE});
    redirect(ends[1]);
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < TRIES; i++)
        log_error("%s", text);
    clock_gettime(CLOCK_MONOTONIC, &end);
    ssize_t whole = read(ends[0], big, sizeof big);
    log_error("after");
    ssize_t rest = read(ends[0], big, sizeof big - 1);
    restore();
    close(ends[0]);
    close(ends[1]);

    size_t line = strlen("*** ") + strlen(text) + 1;
    assert_true(whole > 0 && (size_t)whole % line == 0); /* no line in part */
    assert_true(rest > 0);
    big[rest] = '\0';
    char expected[100];
    snprintf(expected, sizeof expected, "*** %zu log lines are missing here\n*** after\n",
             TRIES - (size_t)whole / line);
    assert_string_equal(big, expected);
    /* One wait of a tenth of a second, not one for each of the 935 lines. */
    assert_true(end.tv_sec - start.tv_sec < 10);
}

#define WITH_LINES(test) cmocka_unit_test_setup_teardown(test, open_lines, close_lines)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LINES(test_levels),
        WITH_LINES(test_very_verbose),
        WITH_LINES(test_log_at),
        WITH_LINES(test_json),
        WITH_LINES(test_json_names),
        WITH_LINES(test_json_time),
        WITH_LINES(test_hostile_text),
        WITH_LINES(test_long_lines),
        WITH_LINES(test_long_names),
        WITH_LINES(test_longest_whole_line),
        WITH_LINES(test_errno_stays),
        WITH_LINES(test_reader_gone),
        WITH_LINES(test_own_sigpipe_stays_pending),
        WITH_LINES(test_full_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
