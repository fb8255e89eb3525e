/* outcome.c - see outcome.h. */
#include "outcome.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

void outcome_fail(struct outcome *o, enum outcome_kind kind, const char *exception,
                  const char *error)
{
    *o = (struct outcome){.kind = kind,
                          .exception = memory_copy(exception, strlen(exception)),
                          .error = memory_copy(error, strlen(error))};
}

void outcome_put_back(struct outcome *o, const char *why)
{
    *o = (struct outcome){.kind = OUTCOME_PUT_BACK, .error = memory_copy(why, strlen(why))};
}

bool outcome_is_failure(const struct outcome *o)
{
    return o->kind == OUTCOME_FAILED || o->kind == OUTCOME_CRASHED;
}

bool outcome_was_terminated(const struct outcome *o)
{
    return o->dirty || (o->exception && strcmp(o->exception, "Resque::TermException") == 0);
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

void outcome_clear(struct outcome *o)
{
    free(o->result);
    free(o->exception);
    free(o->error);
    free(o->trace);
    free(o->output);
    *o = (struct outcome){0};
}
