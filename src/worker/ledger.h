/* ledger.h - a worker's account of its jobs: the tokens it gives out, which of them are finished,
 * and the outcomes of the last jobs. A record that comes back after Redis lost data is finished
 * again as it was, not run again. */
#ifndef LEDGER_H
#define LEDGER_H

#include <stdint.h>

#include "job/job.h"
#include "job/outcome.h"

#define LEDGER_REMEMBERED 64

struct ledger {
    char nonce[WORKER_NONCE_SIZE]; /* of all tokens of this process, which it names for ever */
    uint64_t given;                /* number of the newest token */
    uint64_t committed;            /* number of the newest token that was finished or given up */
    struct outcome remembered[LEDGER_REMEMBERED]; /* by number modulo; long texts are not kept */
    uint64_t number[LEDGER_REMEMBERED];
};

/* 0, or -1 with errno: there is no randomness for the nonce. */
int ledger_open(struct ledger *l);
void ledger_close(struct ledger *l);

/* Gives out a new token. */
void ledger_token(struct ledger *l, char token[JOB_TOKEN_SIZE]);

/* Notes that a job's end could not be written. If the job has run, its record stays when the worker
 * unregisters, for whoever accounts for the worker: put back, it would run twice. A job that never
 * ran is put back. */
void ledger_give_up(struct ledger *l, const struct job *job, const struct outcome *outcome);

/* ledger_remember notes how a job was finished; ledger_recall returns it, borrowed, or NULL when
 * the job is not among the last ones. */
void ledger_remember(struct ledger *l, const struct job *job, const struct outcome *outcome);
const struct outcome *ledger_recall(const struct ledger *l, const struct job *job);

#endif
