/* outcome.h - how a job ended. Decided by verdict.c, written to Redis by commit.c. */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>
#include <stddef.h>

#include "job/usage.h"

enum outcome_kind {
    OUTCOME_DONE,
    OUTCOME_FAILED,
    OUTCOME_CRASHED,   /* failed by a crash; the server puts it back while it has crashed at most
                          `requeue` times, else records it as failed */
    OUTCOME_MALFORMED, /* the payload is not JSON that everybody reads: kept as raw_base64 */
    OUTCOME_PUT_BACK,  /* never started: to the head of its queue, same bytes */
};

struct outcome { /* owns its texts */
    enum outcome_kind kind;
    char *result; /* JSON, of a job that is done */
    size_t result_len;
    char *exception, *error, *trace; /* of one that failed; trace lines end in \n; error also says
                                        why one was put back */
    struct usage usage;              /* of its process */
    const char *limit;               /* "timeout", "memory", "cpu": which one ended it; NULL */
    char *output;                    /* the last of what it wrote to stdout and stderr; NULL */
    size_t output_len;
    int requeue; /* how often one that crashed is put back */
    bool dirty;  /* the process ended without telling how */
    bool quiet;  /* put back once more for a reason that was said before */
    bool tell;   /* onFailure was not called; the worker has it done, once the end is written */
};

/* Outcomes that need no process. Texts are copied. */
void outcome_fail(struct outcome *outcome, enum outcome_kind kind, const char *exception,
                  const char *error);
void outcome_put_back(struct outcome *outcome, const char *why);

/* Its process ran and brought a failure; one that is to be put back, too. */
bool outcome_is_failure(const struct outcome *outcome);

/* A failure that the job did not bring about by an error of its own: its process ended without
 * telling how, or TERM_CHILD raised the error in it. */
bool outcome_was_terminated(const struct outcome *outcome);

/* Bytes of all its texts. */
size_t outcome_size(const struct outcome *outcome);

/* Cuts each text to OUTCOME_SHORT bytes; a longer result, which no one could read then, is null. */
#define OUTCOME_SHORT 2048
void outcome_shorten(struct outcome *outcome);

/* Without `tell`: a copy is for writing the same end again. */
void outcome_copy(struct outcome *to, const struct outcome *from);
void outcome_clear(struct outcome *outcome);

#endif
