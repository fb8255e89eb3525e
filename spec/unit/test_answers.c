/* needs: redis/answers.c redis/reply.c redis/errors.c redis/auth.c redis/args.c redis/redis.c */
/* needs: redis/address.c redis/address_show.c os/events.c base/clock.c base/memory.c */
/* needs: base/plain.c os/descriptors.c */
/* test_answers.c - the words of lua/server: each is in the table, and nothing else is. */
#include "redis/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis.h>

/* What the server would send for a script that answers with these two texts. */
static struct redis_reply *reply_of(const char *first, const char *second)
{
    char wire[512];
    void *reply = NULL;
    redisReader *reader = redisReaderCreate();
    int len = snprintf(wire, sizeof wire, "*2\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(first),
                       first, strlen(second), second);
    assert_int_equal(redisReaderFeed(reader, wire, (size_t)len), REDIS_OK);
    assert_int_equal(redisReaderGetReply(reader, &reply), REDIS_OK);
    redisReaderFree(reader);
    return reply;
}

static enum answer read_word(const char *word)
{
    struct redis_reply *reply = reply_of(word, "");
    enum answer answer = answers_read(reply, 0, NULL);
    redis_reply_free(reply);
    return answer;
}

static void knows_each_word_by_itself(void **state)
{
    (void)state;
    for (int i = ANSWER_UNKNOWN + 1; i < ANSWER_COUNT; i++) {
        char longer[32];
        const char *word = answers_word((enum answer)i);
        assert_int_equal(read_word(word), i);
        snprintf(longer, sizeof longer, "%sX", word);
        assert_int_equal(read_word(longer), ANSWER_UNKNOWN);
        snprintf(longer, sizeof longer, "%.*s", (int)strlen(word) - 1, word);
        assert_int_equal(read_word(longer), ANSWER_UNKNOWN);
    }
    assert_int_equal(read_word(""), ANSWER_UNKNOWN);
    assert_int_equal(read_word("ok"), ANSWER_UNKNOWN);
}

static void finds_the_text_behind_a_word(void **state)
{
    struct redis_reply *reply = reply_of("POISON Job crashed 4 times", "EMPTY");
    const char *text;
    (void)state;
    assert_int_equal(answers_read(reply, 0, &text), ANSWER_POISON);
    assert_string_equal(text, "Job crashed 4 times");
    assert_int_equal(answers_read(reply, 1, &text), ANSWER_EMPTY);
    assert_string_equal(text, "");
    assert_int_equal(answers_read(reply, 2, &text), ANSWER_UNKNOWN); /* there is no third */
    redis_reply_free(reply);
}

/* --- the scripts --- */

static char *text_of(const char *path)
{
    static char text[64 * 1024];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Words in capitals at the start of a string, unless they are commands of Redis or an argument. */
static int check_words(const char *text, const char *path)
{
    int seen = 0;
    for (const char *at = text; (at = strpbrk(at, "\"")); at++) {
        char word[32];
        size_t len = strspn(at + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (len < 2 || len >= sizeof word || (at[1 + len] != '"' && at[1 + len] != ' '))
            continue;
        const char *line = at; /* what stands before it on its line */
        while (line > text && line[-1] != '\n')
            line--;
        bool answer = false;
        for (const char *mark = line; mark < at; mark++)
            answer = answer || strncmp(mark, "return", 6) == 0 || strncmp(mark, "answer =", 8) == 0;
        bool call = at > text && at[-1] == '('; /* call("HGET", …), try("HGET", …) */
        if (!answer || call)
            continue;
        snprintf(word, sizeof word, "%.*s", (int)len, at + 1);
        if (read_word(word) == ANSWER_UNKNOWN)
            fail_msg("%s answers %s, which is not in the table", path, word);
        seen++;
    }
    return seen;
}

static void has_every_word_of_the_scripts(void **state)
{
    static const char *const files[] = {
        "reserve", "done",  "fail",     "unreserve", "register",     "unregister", "heartbeat",
        "note",    "prune", "lib/take", "lib/job",   "lib/transfer", "lib/record"};
    int seen = 0;
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[64];
        snprintf(path, sizeof path, "lua/server/%s.lua", files[i]);
        seen += check_words(text_of(path), path);
    }
    assert_true(seen > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_each_word_by_itself),
        cmocka_unit_test(finds_the_text_behind_a_word),
        cmocka_unit_test(has_every_word_of_the_scripts),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
