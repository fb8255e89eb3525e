/* needs: worker/ledger.c job/outcome.c job/job.c base/memory.c base/text.c */
/* test_ledger.c - tokens, and which jobs a worker remembers as finished. */
#include "worker/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ledger l;

static int setup(void **state)
{
    (void)state;
    return ledger_open(&l);
}

static int teardown(void **state)
{
    (void)state;
    ledger_close(&l);
    return 0;
}

static struct job numbered(uint64_t number)
{
    return (struct job){.number = number};
}

static void finish(uint64_t number, enum outcome_kind kind)
{
    const struct job job = numbered(number);
    struct outcome outcome;
    outcome_fail(&outcome, kind, "E", "m");
    ledger_remember(&l, &job, &outcome);
    outcome_clear(&outcome);
}

static const struct outcome *recall(uint64_t number)
{
    const struct job job = numbered(number);
    return ledger_recall(&l, &job);
}

static void gives_out_numbered_tokens(void **state)
{
    char first[JOB_TOKEN_SIZE], second[JOB_TOKEN_SIZE];
    (void)state;
    assert_int_equal(strspn(l.nonce, "0123456789abcdef"), WORKER_NONCE_SIZE - 1);
    ledger_token(&l, first);
    ledger_token(&l, second);
    assert_memory_equal(first, l.nonce, WORKER_NONCE_SIZE - 1);
    assert_string_equal(first + WORKER_NONCE_SIZE - 1, ":1");
    assert_string_equal(second + WORKER_NONCE_SIZE - 1, ":2");
}

static void no_two_processes_have_one_nonce(void **state)
{
    struct ledger other;
    (void)state;
    assert_int_equal(ledger_open(&other), 0);
    assert_string_not_equal(other.nonce, l.nonce);
    ledger_close(&other);
}

static void remembers_the_last_ones(void **state)
{
    (void)state;
    for (uint64_t number = 1; number <= LEDGER_REMEMBERED + 1; number++)
        finish(number, OUTCOME_FAILED);
    assert_null(recall(1));
    assert_null(recall(0)); /* a record whose token has no number */
    assert_null(recall(LEDGER_REMEMBERED + 2));
    for (uint64_t number = 2; number <= LEDGER_REMEMBERED + 1; number++)
        assert_string_equal(recall(number)->exception, "E");
}

static void what_is_put_back_is_to_run_again(void **state)
{
    (void)state;
    finish(5, OUTCOME_PUT_BACK);
    assert_null(recall(5));
    assert_int_equal(l.committed, 5);
}

/* unregister.lua compares the record's number with it: a later job is put back, no other. */
static void knows_up_to_where_jobs_have_run(void **state)
{
    const struct job fifth = numbered(5), third = numbered(3), seventh = numbered(7);
    struct outcome back, done = {.kind = OUTCOME_DONE};
    (void)state;
    outcome_put_back(&back, "why");
    ledger_give_up(&l, &fifth, &done);
    ledger_give_up(&l, &third, &done);
    ledger_give_up(&l, &seventh, &back);
    assert_int_equal(l.committed, 5);
    outcome_clear(&back);
}

static void keeps_no_long_texts(void **state)
{
    const struct job job = numbered(1);
    char *text = malloc(3 * OUTCOME_SHORT);
    struct outcome outcome;
    (void)state;
    memset(text, 'x', 3 * OUTCOME_SHORT - 1);
    text[3 * OUTCOME_SHORT - 1] = '\0';
    outcome_fail(&outcome, OUTCOME_FAILED, "E", text);
    ledger_remember(&l, &job, &outcome);
    assert_int_equal(strlen(outcome.error), 3 * OUTCOME_SHORT - 1);
    assert_true(strlen(ledger_recall(&l, &job)->error) <= OUTCOME_SHORT);
    outcome_clear(&outcome);
    free(text);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(gives_out_numbered_tokens),       ROW(no_two_processes_have_one_nonce),
        ROW(remembers_the_last_ones),         ROW(what_is_put_back_is_to_run_again),
        ROW(knows_up_to_where_jobs_have_run), ROW(keeps_no_long_texts),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
