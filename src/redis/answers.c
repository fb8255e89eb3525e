/* answers.c - see answers.h. */
#include "redis/answers.h"

#include <string.h>

const char *const answers_words[ANSWER_COUNT] = {
    [ANSWER_UNKNOWN] = "",          [ANSWER_OK] = "OK",
    [ANSWER_ERR] = "ERR",           [ANSWER_ALREADY] = "ALREADY",
    [ANSWER_LOST] = "LOST",         [ANSWER_JOB] = "JOB",
    [ANSWER_EMPTY] = "EMPTY",       [ANSWER_PAUSED] = "PAUSED",
    [ANSWER_REJECTED] = "REJECTED", [ANSWER_CONFLICT] = "CONFLICT",
    [ANSWER_TAKEN] = "TAKEN",       [ANSWER_HELD] = "HELD",
    [ANSWER_OLDER] = "OLDER",       [ANSWER_GONE] = "GONE",
    [ANSWER_FAILED] = "FAILED",     [ANSWER_PUTBACK] = "PUTBACK",
    [ANSWER_REQUEUED] = "REQUEUED", [ANSWER_POISON] = "POISON",
};

enum answer answers_read(const struct redis_reply *reply, size_t index, const char **text)
{
    const char *word = redis_reply_text(redis_reply_at(reply, index), NULL);
    size_t len = strcspn(word, " ");
    if (text)
        *text = word + len + (word[len] == ' ');
    for (int i = ANSWER_UNKNOWN + 1; i < ANSWER_COUNT; i++)
        if (strlen(answers_words[i]) == len && memcmp(answers_words[i], word, len) == 0)
            return (enum answer)i;
    return ANSWER_UNKNOWN;
}
