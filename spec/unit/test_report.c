/* needs: job/report.c base/memory.c base/plain.c base/text.c base/json_check.c job/limit.c */
/* test_report.c - frames between a job and its worker, whole, cut at every byte, and hostile. */
#include "job/report.h"

#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct wire {
    int in, out; /* in: the reader's end */
};

static struct wire open_wire(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
    return (struct wire){ends[0], ends[1]};
}

/* What `send` wrote, as bytes. */
static size_t record(int (*send)(int fd), unsigned char *bytes, size_t room)
{
    struct wire w = open_wire();
    assert_int_equal(send(w.out), 0);
    close(w.out);
    size_t got = 0;
    for (ssize_t n; (n = read(w.in, bytes + got, room - got)) > 0;)
        got += (size_t)n;
    close(w.in);
    return got;
}

static struct report replay(const unsigned char *bytes, size_t len)
{
    struct wire w = open_wire();
    struct report r = {0};
    assert_int_equal(write(w.out, bytes, len), len);
    close(w.out);
    while (report_read(&r, w.in))
        ;
    close(w.in);
    return r;
}

static int send_success(int fd)
{
    return report_send_started(fd, true, false) < 0 ? -1 : report_send_done(fd, "{\"a\":1}", 7);
}

static int send_failure(int fd)
{
    return report_send_started(fd, false, true) < 0
               ? -1
               : report_send_failed(fd, "LuaError", "bo\xffom\nline 2",
                                    "a.lua:1: in x\nb.lua:2: in y\n", "timeout");
}

static int send_exit_code(int fd)
{
    return report_send_exit(fd, 7);
}

static int send_load_error(int fd)
{
    return report_send_load(fd, "jobs.lua:3: oops");
}

static void tells_success(void **state)
{
    unsigned char bytes[256] = {0};
    (void)state;
    struct report r = replay(bytes, record(send_success, bytes, sizeof bytes));
    assert_true(r.started);
    assert_true(r.on_failure);
    assert_false(r.parent_hooks);
    assert_int_equal(r.kind, REPORT_DONE);
    assert_int_equal(r.result_len, 7);
    assert_memory_equal(r.result, "{\"a\":1}", 7);
    report_clear(&r);
}

static int send_failure_of_that_name(int fd)
{
    return report_send_failed(fd, "Resque::NoClassError", "made up", "", "");
}

/* A job's own error may have any name. */
static void only_the_frame_says_that_a_class_is_unknown(void **state)
{
    unsigned char bytes[512] = {0};
    (void)state;
    struct report r = replay(bytes, record(send_failure_of_that_name, bytes, sizeof bytes));
    assert_int_equal(r.kind, REPORT_FAILED);
    assert_false(r.unknown);
    report_clear(&r);
    r = replay(bytes, record(report_send_unknown, bytes, sizeof bytes));
    assert_int_equal(r.kind, REPORT_NONE);
    assert_true(r.unknown);
    report_clear(&r);
}

static void tells_failure_as_valid_utf8(void **state)
{
    unsigned char bytes[256] = {0};
    (void)state;
    struct report r = replay(bytes, record(send_failure, bytes, sizeof bytes));
    assert_int_equal(r.kind, REPORT_FAILED);
    assert_true(r.parent_hooks);
    assert_string_equal(r.failure.exception, "LuaError");
    assert_string_equal(r.failure.message, "bo?om\nline 2");
    assert_string_equal(r.failure.limit, "timeout");
    assert_string_equal(r.failure.trace, "a.lua:1: in x\nb.lua:2: in y\n");
    report_clear(&r);
}

static void tells_exit_and_load_errors(void **state)
{
    unsigned char bytes[256] = {0};
    (void)state;
    struct report r = replay(bytes, record(send_exit_code, bytes, sizeof bytes));
    assert_int_equal(r.kind, REPORT_EXIT);
    assert_int_equal(r.exit_code, 7);
    assert_false(r.started);
    report_clear(&r);
    r = replay(bytes, record(send_load_error, bytes, sizeof bytes));
    assert_int_equal(r.kind, REPORT_LOAD);
    assert_string_equal(r.failure.message, "jobs.lua:3: oops");
    report_clear(&r);
}

/* A frame that is not whole was never sent; `started` counts from its last byte on. */
static void cut_anywhere_is_no_end(void **state)
{
    unsigned char bytes[256] = {0};
    size_t len = record(send_success, bytes, sizeof bytes);
    const size_t started = 5 + 2;
    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        struct report r = replay(bytes, cut);
        assert_int_equal(r.kind, REPORT_NONE);
        assert_int_equal(r.started, cut >= started);
        report_clear(&r);
    }
}

static void the_first_end_counts(void **state)
{
    unsigned char bytes[512] = {0};
    size_t len = record(send_exit_code, bytes, sizeof bytes);
    (void)state;
    len += record(send_success, bytes + len, sizeof bytes - len);
    struct report r = replay(bytes, len);
    assert_int_equal(r.kind, REPORT_EXIT);
    report_clear(&r);
}

static int send_bad_json(int fd)
{
    return report_send_done(fd, "{\"a\":NaN}", 9);
}

static int send_huge_result(int fd)
{
    char *json = malloc(REPORT_BODY_MAX + 3);
    memset(json, 'x', REPORT_BODY_MAX + 3);
    json[0] = json[REPORT_BODY_MAX + 2] = '"';
    int result = report_send_done(fd, json, REPORT_BODY_MAX + 3);
    free(json);
    return result;
}

static void unusable_results_are_null(void **state)
{
    unsigned char bytes[256] = {0};
    (void)state;
    struct report r = replay(bytes, record(send_bad_json, bytes, sizeof bytes));
    assert_int_equal(r.kind, REPORT_DONE);
    assert_int_equal(r.result_len, 4);
    assert_memory_equal(r.result, "null", 4);
    report_clear(&r);
    r = replay(bytes, record(send_huge_result, bytes, sizeof bytes));
    assert_int_equal(r.kind, REPORT_DONE);
    assert_memory_equal(r.result, "null", 4);
    report_clear(&r);
}

static void a_frame_without_limits_ends_the_reading(void **state)
{
    static const unsigned char hostile[] = {'D', 0xff, 0xff, 0xff, 0x7f, '1'};
    (void)state;
    struct report r = replay(hostile, sizeof hostile);
    assert_int_equal(r.kind, REPORT_NONE);
    assert_true(r.broken);
    assert_true(r.reader.room < 65536);
    report_clear(&r);
}

static void what_cannot_be_read_is_broken(void **state)
{
    struct report r = {0};
    struct wire w = open_wire();
    (void)state;
    assert_true(report_read(&r, w.in)); /* nothing there yet */
    assert_false(r.broken);
    assert_int_equal(send_exit_code(w.out), 0);
    close(w.out);
    assert_false(report_read(&r, w.in));
    assert_false(r.broken);
    close(w.in);
    assert_false(report_read(&r, w.in));
    assert_true(r.broken);
    assert_int_equal(r.kind, REPORT_EXIT); /* what came before counts */
    report_clear(&r);
}

static void a_failure_with_missing_texts_has_empty_ones(void **state)
{
    static const unsigned char frame[] = {'F', 3, 0, 0, 0, 'A', 'b', 'c'};
    (void)state;
    struct report r = replay(frame, sizeof frame);
    assert_int_equal(r.kind, REPORT_FAILED);
    assert_string_equal(r.failure.exception, "Abc");
    assert_string_equal(r.failure.message, "");
    assert_string_equal(r.failure.trace, "");
    assert_null(r.failure.limit);
    report_clear(&r);
}

static void an_unknown_limit_is_none(void **state)
{
    static const unsigned char frame[] = {'F', 8, 0, 0, 0, 'A', 0, 'b', 0, 'c', 0, 'm', 'e'};
    (void)state;
    struct report r = replay(frame, sizeof frame);
    assert_string_equal(r.failure.trace, "c");
    assert_null(r.failure.limit);
    report_clear(&r);
}

static int send_policy(int fd)
{
    const struct job_policy policy = {
        .timeout = 0.25, .memory = 64 << 20, .cpu = INFINITY, .requeue = -1};
    return report_send_started(fd, false, false) < 0 ? -1 : report_send_policy(fd, &policy);
}

static void tells_the_job_tables_limits(void **state)
{
    unsigned char bytes[256] = {0};
    (void)state;
    struct report r = replay(bytes, record(send_policy, bytes, sizeof bytes));
    assert_true(r.policy.timeout == 0.25);
    assert_int_equal(r.policy.memory, 64 << 20);
    assert_true(isinf(r.policy.cpu));
    assert_int_equal(r.policy.requeue, -1);
    assert_int_equal(r.kind, REPORT_NONE);
    report_clear(&r);
}

static int send_largest_policy(int fd)
{
    const struct job_policy policy = {-DBL_MAX, SIZE_MAX, DBL_MAX, INT_MIN};
    return report_send_policy(fd, &policy);
}

static void tells_the_largest_policy(void **state)
{
    unsigned char bytes[512] = {0};
    (void)state;
    struct report r = replay(bytes, record(send_largest_policy, bytes, sizeof bytes));
    assert_true(r.policy.timeout == 0); /* less than nothing is not given */
    assert_true(r.policy.memory == SIZE_MAX);
    assert_true(r.policy.cpu == DBL_MAX);
    assert_int_equal(r.policy.requeue, INT_MIN);
    report_clear(&r);
}

static void a_policy_that_is_none_changes_nothing(void **state)
{
    static const char *const bodies[] = {"", "1", "x 1 1 1", "nan 1", "1 2 3"};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        unsigned char frame[64] = {'P', (unsigned char)strlen(bodies[i])};
        memcpy(frame + 5, bodies[i], strlen(bodies[i]));
        struct report r = replay(frame, 5 + strlen(bodies[i]));
        assert_true(r.policy.timeout == 0);
        assert_int_equal(r.policy.memory, 0);
        report_clear(&r);
    }
}

static void a_policys_times_are_never_negative_nor_nan(void **state)
{
    static const char body[] = "nan 5 -1 3";
    unsigned char frame[64] = {'P', sizeof body - 1};
    (void)state;
    memcpy(frame + 5, body, sizeof body - 1);
    struct report r = replay(frame, 5 + sizeof body - 1);
    assert_true(r.policy.timeout == 0);
    assert_true(r.policy.cpu == 0);
    assert_int_equal(r.policy.memory, 5);
    assert_int_equal(r.policy.requeue, 3);
    report_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_success),
        cmocka_unit_test(only_the_frame_says_that_a_class_is_unknown),
        cmocka_unit_test(tells_failure_as_valid_utf8),
        cmocka_unit_test(tells_exit_and_load_errors),
        cmocka_unit_test(cut_anywhere_is_no_end),
        cmocka_unit_test(the_first_end_counts),
        cmocka_unit_test(unusable_results_are_null),
        cmocka_unit_test(a_frame_without_limits_ends_the_reading),
        cmocka_unit_test(what_cannot_be_read_is_broken),
        cmocka_unit_test(a_failure_with_missing_texts_has_empty_ones),
        cmocka_unit_test(an_unknown_limit_is_none),
        cmocka_unit_test(tells_the_job_tables_limits),
        cmocka_unit_test(tells_the_largest_policy),
        cmocka_unit_test(a_policy_that_is_none_changes_nothing),
        cmocka_unit_test(a_policys_times_are_never_negative_nor_nan),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
