/* board.h - the memory that manager, workers and jobs share: one slot per worker.
 *
 * It holds facts that a dead process cannot tell any more (its id, which job had started), which
 * workers are idle, which job is to be ended and how, and a stop that means "now". Each field has
 * one writer, but for `raised` and `parent_hooks`. A text is read when its writer has ended, or
 * only compared with a whole one, which a half-written text cannot equal. */
#ifndef BOARD_H
#define BOARD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "job/job.h"

enum board_state {
    BOARD_STARTING, /* beforeFirstFork has not passed yet */
    BOARD_BUSY,     /* has a job, or does not want one */
    BOARD_LOOKING,  /* about to ask Redis: a push may come too late for that question */
    BOARD_IDLE,     /* waiting for a wake-up or INTERVAL */
};

/* What a worker has told its job's process. */
enum board_told {
    BOARD_NOTHING,
    BOARD_TIMEOUT, /* your time is up: an error, wherever you are */
    BOARD_TERM,    /* you are to be ended, with TERM_CHILD: the same */
    BOARD_END,     /* you took no notice of the first: end by TERM, as by default */
};

struct board_slot {
    atomic_int state;               /* enum board_state, by the worker */
    atomic_int told;                /* enum board_told, by the worker */
    char worker_id[WORKER_ID_SIZE]; /* by the worker; "": not registered */
    char nonce[WORKER_NONCE_SIZE];  /* by the worker: of its tokens */
    atomic_llong raised; /* by the job's process, between two jobs by the worker: see raised.h */
    char started_token[JOB_TOKEN_SIZE]; /* by the job's process: the last token whose code began to
                                           run */
    char cancel[JOB_TOKEN_SIZE];        /* by the manager: the job that is to be ended */
    atomic_int insists; /* by the manager: the TERM or INT that was its second one */
};

struct board {
    atomic_int parent_hooks; /* somebody listens to beforeFirstFork or beforeFork */
    struct board_slot slot[];
};

/* Whether the job of this token has begun to run. For after its process has ended: half of a token
 * is no job's. */
bool board_has_started(const struct board_slot *slot, const char *token);

/* Whether somebody wants the job of this token ended (`resque-lua job ID --kill`). A token names
 * one reservation for ever, so this can be asked at any time: the next job is never meant. */
bool board_wants_cancel(const struct board_slot *slot, const char *token);

#endif
