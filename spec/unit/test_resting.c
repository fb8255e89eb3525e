/* needs: worker/resting.c os/watched.c options/include_list.c job/outcome.c */
/* needs: base/clock.c base/log.c base/text.c base/memory.c */
/* test_resting.c - which jobs of unknown classes fail, which queue rests and for how long, on a
 * clock of the test's own and with real files. */
#include "worker/resting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "job/job.h"
#include "job/outcome.h"
#include "worker/death.h"

#define SECOND INT64_C(1000)

enum fate { DONE, FAILED, BACK };

static char dir[] = "/tmp/spec-resting-XXXXXX", include[256];
static char jobs_lua[64], hooks_lua[64], folder[64], class_lua[80];
static struct resting r;
static int64_t now;

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int setup(void **state)
{
    (void)state;
    now = 0;
    put(jobs_lua, "one");
    put(hooks_lua, "one");
    put(class_lua, "one");
    resting_open(&r, include, now);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    resting_close(&r);
    return 0;
}

/* How a job's process ended that found the class, or did not. */
static const struct report with_class = {.kind = REPORT_DONE},
                           without_class = {.unknown = true, .kind = REPORT_FAILED};

static enum fate judge(const char *queue, const struct death *death)
{
    struct job job = {.queue = (char *)(size_t)queue};
    struct outcome outcome = {.kind = OUTCOME_DONE};
    if (death->report->kind == REPORT_FAILED)
        outcome_fail(&outcome, OUTCOME_FAILED, "Resque::NoClassError",
                     "Could not find job class X.");
    resting_judge(&r, &job, death, &outcome, now);
    enum fate fate = outcome.kind == OUTCOME_DONE     ? DONE
                     : outcome.kind == OUTCOME_FAILED ? FAILED
                                                      : BACK;
    outcome_clear(&outcome);
    return fate;
}

static enum fate unknown(const char *queue)
{
    return judge(queue, &(struct death){.report = &without_class, .started = true});
}

static void found(const char *queue)
{
    const struct death death = {.report = &with_class, .started = true};
    assert_int_equal(judge(queue, &death), DONE);
}

/* Jobs of unknown classes until one is put back: how many failed. */
static int fail_until_back(const char *queue)
{
    int failed = 0;
    while (unknown(queue) == FAILED)
        failed++;
    return failed;
}

static void the_sixth_goes_back_and_its_queue_rests(void **state)
{
    (void)state;
    for (int i = 0; i < RESTING_AFTER; i++) {
        assert_false(resting_spares(&r, "mail"));
        assert_int_equal(unknown("mail"), FAILED);
        assert_false(resting_any(&r));
    }
    assert_true(resting_spares(&r, "mail"));
    assert_int_equal(unknown("mail"), BACK);
    assert_true(resting_has(&r, "mail"));
    assert_false(resting_has(&r, "other"));
    assert_string_equal(r.queues[0].why, "Could not find job class X.");
}

static void in_a_row_counts_over_all_queues(void **state)
{
    (void)state;
    assert_int_equal(unknown("a"), FAILED);
    assert_int_equal(fail_until_back("b"), RESTING_AFTER - 1);
    assert_int_equal(unknown("a"), BACK);
    assert_true(resting_has(&r, "a") && resting_has(&r, "b"));
}

static void a_found_class_lets_all_others_fail(void **state)
{
    (void)state;
    found("mail");
    for (int i = 0; i < 10 * RESTING_AFTER; i++)
        assert_int_equal(unknown("mail"), FAILED);
}

static void one_among_good_ones_changes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * RESTING_AFTER; i++) {
        assert_int_equal(unknown("mail"), FAILED);
        found("mail");
    }
    assert_false(resting_any(&r));
}

static void what_never_started_says_nothing(void **state)
{
    const struct report broken = {.kind = REPORT_LOAD};
    const struct death never = {.report = &broken};
    (void)state;
    for (int i = 0; i < RESTING_AFTER; i++)
        assert_int_equal(unknown("mail"), FAILED);
    judge("mail", &never);
    assert_int_equal(unknown("mail"), BACK);
}

static void what_died_or_was_cancelled_fails(void **state)
{
    const struct report silent = {.unknown = true};
    const struct death died = {.report = &silent, .started = true},
                       cancelled = {
                           .report = &without_class, .started = true, .reason = KILL_CANCEL};
    (void)state;
    fail_until_back("mail");
    assert_int_equal(judge("mail", &cancelled), FAILED);
    assert_int_equal(judge("mail", &died), DONE); /* its outcome is not touched */
}

static void a_minute_later_as_many_may_fail(void **state)
{
    (void)state;
    fail_until_back("a");
    now += 30 * SECOND;
    assert_int_equal(unknown("b"), BACK);
    assert_false(resting_look(&r, now));
    now += 30 * SECOND - 1;
    assert_false(resting_look(&r, now));
    assert_true(resting_has(&r, "a") && resting_has(&r, "b"));
    now++;
    assert_true(resting_look(&r, now));
    assert_false(resting_any(&r) || resting_has(&r, "a") || resting_has(&r, "b"));
    assert_int_equal(fail_until_back("a"), RESTING_AFTER);
    assert_true(resting_has(&r, "a"));
}

/* Or its jobs would move to failed because those of another queue are well. */
static void a_queue_that_has_rested_stays_under_suspicion(void **state)
{
    (void)state;
    fail_until_back("bad");
    found("good");
    assert_true(resting_has(&r, "bad"));
    now += 60 * SECOND;
    assert_true(resting_look(&r, now));
    assert_int_equal(unknown("bad"), FAILED);
    found("good");
    assert_int_equal(fail_until_back("bad"), RESTING_AFTER - 1);
    now += 60 * SECOND;
    assert_true(resting_look(&r, now));
    found("bad");
    for (int i = 0; i < 3 * RESTING_AFTER; i++)
        assert_int_equal(unknown("bad"), FAILED);
}

static void hang_up_ends_the_rest(void **state)
{
    (void)state;
    assert_false(resting_forget(&r));
    fail_until_back("mail");
    assert_true(resting_forget(&r));
    assert_false(resting_any(&r));
    assert_int_equal(fail_until_back("mail"), RESTING_AFTER);
}

static void edit_second_file(void)
{
    put(hooks_lua, "another");
}

static void edit_class_file(void)
{
    put(class_lua, "another");
}

static void add_class_file(void)
{
    char path[80];
    snprintf(path, sizeof path, "%s/New.lua", folder);
    put(path, "");
    unlink(path); /* the folder has changed all the same */
}

static void a_change_of_a_file_ends_the_rest(void **state)
{
    void (*const changes[])(void) = {edit_second_file, edit_class_file, add_class_file};
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        fail_until_back("mail");
        changes[i]();
        assert_false(resting_look(&r, now)); /* it looks once a second */
        assert_int_equal(resting_deadline(&r), now + 1 * SECOND);
        now += 1 * SECOND;
        assert_true(resting_look(&r, now));
        assert_false(resting_any(&r));
    }
}

static void classes_found_before_a_change_do_not_count(void **state)
{
    (void)state;
    found("mail");
    edit_second_file();
    now += 1 * SECOND;
    assert_false(resting_look(&r, now)); /* nothing rested */
    assert_int_equal(fail_until_back("mail"), RESTING_AFTER);
}

/* A file came while the job ran that had not found its class: it may find it now. */
static void a_change_meanwhile_puts_back_without_rest(void **state)
{
    (void)state;
    for (int i = 0; i < RESTING_AFTER; i++)
        assert_int_equal(unknown("mail"), FAILED);
    edit_class_file();
    assert_int_equal(unknown("mail"), BACK);
    assert_false(resting_any(&r));
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(jobs_lua, sizeof jobs_lua, "%s/jobs.lua", dir);
    snprintf(hooks_lua, sizeof hooks_lua, "%s/hooks.lua", dir);
    snprintf(folder, sizeof folder, "%s/jobs", dir);
    snprintf(class_lua, sizeof class_lua, "%s/Class.lua", folder);
    snprintf(include, sizeof include, "%s, %s", jobs_lua, hooks_lua);
    return mkdir(folder, 0700);
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(class_lua);
    unlink(jobs_lua);
    unlink(hooks_lua);
    rmdir(folder);
    return rmdir(dir);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(the_sixth_goes_back_and_its_queue_rests),
        ROW(in_a_row_counts_over_all_queues),
        ROW(a_found_class_lets_all_others_fail),
        ROW(one_among_good_ones_changes_nothing),
        ROW(what_never_started_says_nothing),
        ROW(what_died_or_was_cancelled_fails),
        ROW(a_minute_later_as_many_may_fail),
        ROW(a_queue_that_has_rested_stays_under_suspicion),
        ROW(hang_up_ends_the_rest),
        ROW(a_change_of_a_file_ends_the_rest),
        ROW(classes_found_before_a_change_do_not_count),
        ROW(a_change_meanwhile_puts_back_without_rest),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
