/* answers.h - the words that the server-side scripts (lua/server) answer with, read in one place.
 */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "redis/redis.h"

enum answer {
    ANSWER_UNKNOWN,  /* no word of the scripts: they are of another version */
    ANSWER_OK,       /* done */
    ANSWER_ERR,      /* Redis refused a write, and nothing was changed; the next element says why */
    ANSWER_ALREADY,  /* the job's end was written before, by the same token */
    ANSWER_LOST,     /* this worker is not registered, or the job is not its own any more */
    ANSWER_JOB,      /* token, queue, class, id, payload, attempts follow */
    ANSWER_EMPTY,    /* no queue has a job */
    ANSWER_PAUSED,   /* pause-all-workers is set */
    ANSWER_REJECTED, /* a payload went to `failed` at once; its queue and the reason follow */
    ANSWER_CONFLICT, /* the record or the id is another worker's; the token in it follows */
    ANSWER_TAKEN,    /* another worker is registered under this id */
    ANSWER_HELD,     /* the record is of a job that this worker has finished or given up */
    ANSWER_OLDER,    /* some workers lack what is needed; their ids and numbers follow */
    ANSWER_GONE,     /* what was to prove a worker's death is not so any more */
    ANSWER_FAILED,   /* what became of a job: it is in `failed`, */
    ANSWER_PUTBACK,  /* at the head of its queue, */
    ANSWER_REQUEUED, /* at the end of its queue, after a crash, */
    ANSWER_POISON,   /* or in `failed`, as it was put back too often */
    ANSWER_COUNT
};

/* The word at the start of element `index` of a reply. A text may follow it behind a blank:
 * *text points to it then, else to "". `text` may be NULL; it is owned by the reply. */
enum answer answers_read(const struct redis_reply *reply, size_t index, const char **text);

/* The words, by enum answer; "" for ANSWER_UNKNOWN. */
extern const char *const answers_words[ANSWER_COUNT];

#endif
