/* needs: job/queues.c base/memory.c */
/* test_queues.c - the list a QUEUE variable stands for, by table. */
#include "job/queues.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Splits `text` at blanks into `list`; returns how many. The text is changed. */
static size_t split(char *text, const char **list, size_t room)
{
    size_t count = 0;
    for (char *word = strtok(text, " "); word && count < room; word = strtok(NULL, " "))
        list[count++] = word;
    return count;
}

static void join_names(const struct queues *q, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < q->count; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s", i ? " " : "", q->names[i]);
}

static void expands_in_order(void **state)
{
    static const struct {
        const char *list, *known, *label, *names;
    } rows[] = {
        {"mail", "", "mail", "mail"},
        {" mail , default ", "zz", "mail,default", "mail default"},
        {"b,a,b", "", "b,a,b", "b a"},
        {"*", "c a b", "*", "a b c"},
        {"*", "", "*", ""},
        {"*", ".hidden a", "*", ".hidden a"},
        {"?hidden", ".hidden xhidden", "?hidden", "xhidden"},
        {"mail_*,urgent", "mail_b mail_a other urgent", "mail_*,urgent", "mail_a mail_b urgent"},
        {"urgent,*", "a urgent b", "urgent,*", "urgent a b"},
        {"*,urgent", "a urgent b", "*,urgent", "a b urgent"},
        {"*,new", "a b", "*,new", "a b new"},
        {"*_high,!low*", "x_high low_high", "*_high", "x_high"},
        {"a,!a", "a", "a", ""},
        {"m[ai]x", "max mix mux", "m[ai]x", "max mix"},
        {"B,a,*", "a B c A", "B,a,*", "B a A c"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct queues q;
        char err[128], known_text[256], names[256];
        const char *known[32];
        snprintf(known_text, sizeof known_text, "%s", rows[i].known);
        size_t count = split(known_text, known, COUNT(known));
        assert_int_equal(queues_parse(&q, rows[i].list, err, sizeof err), 0);
        queues_expand(&q, known, count);
        join_names(&q, names, sizeof names);
        assert_string_equal(names, rows[i].names);
        assert_string_equal(q.label, rows[i].label);
        queues_clear(&q);
    }
}

static void refuses_lists_without_a_queue(void **state)
{
    static const char *const lists[] = {"", " , ,", "!low", "!a,!b"};
    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct queues q;
        char err[128] = "";
        assert_int_equal(queues_parse(&q, lists[i], err, sizeof err), -1);
        assert_non_null(strstr(err, "hint:"));
    }
}

static void knows_when_the_known_queues_matter(void **state)
{
    struct queues q;
    char err[128];
    (void)state;
    assert_int_equal(queues_parse(&q, "a,b,!c*", err, sizeof err), 0);
    assert_false(q.dynamic);
    queues_clear(&q);
    assert_int_equal(queues_parse(&q, "a,b?", err, sizeof err), 0);
    assert_true(q.dynamic);
    queues_clear(&q);
}

static void matches_what_it_would_expand_to(void **state)
{
    struct queues q;
    char err[128];
    (void)state;
    assert_int_equal(queues_parse(&q, "mail,log_*,!log_debug", err, sizeof err), 0);
    assert_true(queues_match(&q, "mail"));
    assert_true(queues_match(&q, "log_x"));
    assert_false(queues_match(&q, "log_debug"));
    assert_false(queues_match(&q, "mailbox"));
    queues_clear(&q);
}

/* 10,000 queues are re-expanded every second: it must not be quadratic. */
static void expands_ten_thousand_queues(void **state)
{
    enum { N = 10000 };
    static char text[N][16];
    static const char *known[N];
    struct queues q;
    char err[128];
    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(text[i], sizeof text[i], "q%05d", N - i);
        known[i] = text[i];
    }
    assert_int_equal(queues_parse(&q, "q00500,*,!q1*", err, sizeof err), 0);
    queues_expand(&q, known, N);
    assert_int_equal(q.count, N - 1);
    assert_string_equal(q.names[0], "q00500");
    assert_string_equal(q.names[1], "q00001");
    assert_string_equal(q.names[N - 2], "q09999");
    queues_clear(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands_in_order),
        cmocka_unit_test(refuses_lists_without_a_queue),
        cmocka_unit_test(knows_when_the_known_queues_matter),
        cmocka_unit_test(matches_what_it_would_expand_to),
        cmocka_unit_test(expands_ten_thousand_queues),
    };
    return cmocka_run_group_tests_name("queues", tests, NULL, NULL);
}
