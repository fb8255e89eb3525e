/* reserve.h - asks Redis for the next job: which queues, in which order, and what came back. */
#ifndef RESERVE_H
#define RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "job/job.h"
#include "job/queues.h"
#include "redis/scripts.h"
#include "worker/resting.h"

enum reserve_answer {
    RESERVE_JOB,      /* `job` is ours: in worker:<id>, status running */
    RESERVE_EMPTY,    /* nothing in any queue */
    RESERVE_PAUSED,   /* pause-all-workers */
    RESERVE_REJECTED, /* one payload was unreadable and is in `failed` now: ask again */
    RESERVE_LOST,     /* this worker is not registered any more */
    RESERVE_CONFLICT, /* worker:<id> holds somebody else's job */
    RESERVE_NOTHING,  /* nothing was asked for, or the server could not be asked: scripts->error */
};

/* What came of one question for a job. */
struct reservation {
    enum reserve_answer answer;
    struct job job; /* with RESERVE_JOB; the owner's to clear */
    /* owned; with RESERVE_REJECTED the queue and what is wrong, with RESERVE_CONFLICT the token
     * that is in the record, both as they are, for the log; else NULL */
    char *queue, *why;
};

struct reserve {
    struct queues queues;
    const struct resting *resting; /* which of them are left out; borrowed */
    char max_payload[24];          /* bytes, as text */
    int64_t expand_at;             /* when a dynamic list is to be expanded again; clock_ms() */
    struct reservation handed; /* what the last commit brought along; RESERVE_NOTHING: nothing */
};

/* 0, or -1 and what is wrong with the list in `err`. */
int reserve_open(struct reserve *r, const char *queues, size_t max_payload,
                 const struct resting *resting, char *err, size_t err_size);
void reserve_close(struct reserve *r);

/* Expands wildcards: always when `now`, else when the last look is a second old. 0; -1:
 * scripts->error. */
int reserve_expand(struct reserve *r, struct scripts *s, bool now);

/* One call of reserve.lua. `got` is overwritten. */
void reserve_next(struct reserve *r, struct scripts *s, const char *worker_id, const char *token,
                  struct reservation *got);

/* For commits that reserve in the same trip: the token and size limit, the queues, and the answer,
 * which starts at element `at` of the reply and is kept in `handed`. */
void reserve_add_terms(const struct reserve *r, struct redis_args *args, const char *token);
void reserve_add_queues(const struct reserve *r, struct redis_args *args);
void reserve_hand(struct reserve *r, const struct redis_reply *reply, size_t at);

/* Takes what a commit handed over. RESERVE_NOTHING: ask. */
void reserve_take(struct reserve *r, struct reservation *got);

/* Frees the texts, not the job. */
void reserve_forget(struct reservation *got);

#endif
