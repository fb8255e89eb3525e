/* needs: redis/answers.c redis/reply.c redis/errors.c redis/auth.c redis/args.c redis/redis.c */
/* needs: redis/address.c redis/address_show.c os/events.c base/clock.c base/memory.c */
/* needs: base/plain.c os/descriptors.c */
/* test_answers.c - the words of lua/server: each is in the table, and nothing else is. */
#include "redis/answers.h"

#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reply_wire.h"

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
        const char *word = answers_words[i];
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

static bool answered[ANSWER_COUNT]; /* by some script */

static const char *text_of(const char *path)
{
    static char text[64 * 1024];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_true(len < sizeof text);
    text[len] = '\0';
    return text;
}

/* A string begins at `at`: the first byte behind it. */
static const char *past_string(const char *at)
{
    char quote = *at++;
    for (; *at && *at != quote; at++)
        at += *at == '\\' && at[1];
    return at + (*at == quote);
}

/* Whether the string at `at` is compared with something, so that it is no answer. */
static bool is_compared(const char *text, const char *at)
{
    while (at > text && isspace((unsigned char)at[-1]))
        at--;
    return at - text >= 2 && at[-1] == '=' && (at[-2] == '=' || at[-2] == '~');
}

/* An answer begins with a word in capitals that is all of the string or stands before a blank. */
static void check_word(const char *at, const char *path)
{
    size_t len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    char word[32];
    if (len < 2 || len >= sizeof word || (at[len] != '"' && at[len] != ' '))
        return;
    snprintf(word, sizeof word, "%.*s", (int)len, at);
    enum answer answer = read_word(word);
    if (answer == ANSWER_UNKNOWN)
        fail_msg("%s answers %s, which is not in the table", path, word);
    answered[answer] = true;
}

/* Reads the strings of a script, but for those between parentheses: these are arguments, such as
 * the commands of Redis. */
static void check_script(const char *path)
{
    const char *text = text_of(path), *at = text;
    int depth = 0;
    while (*at) {
        if (strncmp(at, "--", 2) == 0) {
            at += strcspn(at, "\n");
        } else if (*at == '"' || *at == '\'') {
            if (depth == 0 && !is_compared(text, at))
                check_word(at + 1, path);
            at = past_string(at);
        } else {
            depth += (*at == '(') - (*at == ')');
            at++;
        }
    }
    if (depth != 0) /* then strings were passed over */
        fail_msg("%s: %d parentheses are open at its end", path, depth);
}

static void has_the_words_of_all_scripts_and_no_more(void **state)
{
    glob_t files;
    (void)state;
    assert_int_equal(glob("lua/server/*.lua", 0, NULL, &files), 0);
    assert_int_equal(glob("lua/server/lib/*.lua", GLOB_APPEND, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++)
        check_script(files.gl_pathv[i]);
    globfree(&files);
    for (int i = ANSWER_UNKNOWN + 1; i < ANSWER_COUNT; i++)
        if (!answered[i])
            fail_msg("no script answers %s", answers_words[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_each_word_by_itself),
        cmocka_unit_test(finds_the_text_behind_a_word),
        cmocka_unit_test(has_the_words_of_all_scripts_and_no_more),
    };
    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
