/* outcome.c - see outcome.h. */
#include "job/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

void outcome_fail(struct outcome *outcome, enum outcome_kind kind, const char *exception,
                  const char *error)
{
    *outcome = (struct outcome){.kind = kind,
                                .exception = memory_copy(exception, strlen(exception)),
                                .error = memory_copy(error, strlen(error))};
}

void outcome_put_back(struct outcome *outcome, const char *why)
{
    *outcome = (struct outcome){.kind = OUTCOME_PUT_BACK, .error = memory_copy(why, strlen(why))};
}

bool outcome_is_failure(const struct outcome *outcome)
{
    return outcome->kind == OUTCOME_FAILED || outcome->kind == OUTCOME_CRASHED;
}

bool outcome_was_terminated(const struct outcome *outcome)
{
    return outcome->dirty ||
           (outcome->exception && strcmp(outcome->exception, "Resque::TermException") == 0);
}

static char *copy_text(const char *text)
{
    return text ? memory_copy(text, strlen(text)) : NULL;
}

void outcome_copy(struct outcome *to, const struct outcome *from)
{
    *to = (struct outcome){.kind = from->kind,
                           .dirty = from->dirty,
                           .usage = from->usage,
                           .limit = from->limit,
                           .requeue = from->requeue,
                           .result =
                               from->result ? memory_copy(from->result, from->result_len) : NULL,
                           .result_len = from->result_len,
                           .exception = copy_text(from->exception),
                           .error = copy_text(from->error),
                           .trace = copy_text(from->trace)};
}

static size_t length(const char *text)
{
    return text ? strlen(text) : 0;
}

size_t outcome_size(const struct outcome *outcome)
{
    return outcome->result_len + length(outcome->exception) + length(outcome->error) +
           length(outcome->trace) + outcome->output_len;
}

/* Puts a shorter text in the place of one, so that its memory is given back. */
static void replace(char **text, const char *with, size_t len)
{
    char *shorter = memory_copy(with, len);
    free(*text);
    *text = shorter;
}

static void cut(char **text)
{
    if (length(*text) <= OUTCOME_SHORT)
        return;
    replace(text, *text, OUTCOME_SHORT);
    text_clean_utf8(*text, OUTCOME_SHORT); /* it may be cut inside a character */
}

void outcome_shorten(struct outcome *outcome)
{
    cut(&outcome->error);
    cut(&outcome->trace);
    char *line_end = length(outcome->trace) == OUTCOME_SHORT ? strrchr(outcome->trace, '\n') : NULL;
    if (line_end)
        line_end[1] = '\0';
    if (outcome->result_len <= OUTCOME_SHORT)
        return;
    replace(&outcome->result, "null", strlen("null"));
    outcome->result_len = strlen("null");
}

void outcome_clear(struct outcome *outcome)
{
    free(outcome->result);
    free(outcome->exception);
    free(outcome->error);
    free(outcome->trace);
    free(outcome->output);
    *outcome = (struct outcome){0};
}
