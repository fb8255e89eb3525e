/* ledger.c - see ledger.h. */
#include "worker/ledger.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/random.h>

static int make_nonce(char nonce[WORKER_NONCE_SIZE])
{
    unsigned char bytes[8];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return -1;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(nonce + 2 * i, 3, "%02x", bytes[i]);
    return 0;
}

int ledger_open(struct ledger *l)
{
    *l = (struct ledger){0};
    return make_nonce(l->nonce);
}

void ledger_close(struct ledger *l)
{
    for (int i = 0; i < LEDGER_REMEMBERED; i++)
        outcome_clear(&l->remembered[i]);
}

void ledger_token(struct ledger *l, char token[JOB_TOKEN_SIZE])
{
    snprintf(token, JOB_TOKEN_SIZE, "%s:%" PRIu64, l->nonce, ++l->given);
}

static void note_committed(struct ledger *l, const struct job *job)
{
    if (job->number > l->committed)
        l->committed = job->number;
}

void ledger_give_up(struct ledger *l, const struct job *job, const struct outcome *outcome)
{
    if (outcome->kind != OUTCOME_PUT_BACK)
        note_committed(l, job);
}

void ledger_remember(struct ledger *l, const struct job *job, const struct outcome *outcome)
{
    size_t slot = job->number % LEDGER_REMEMBERED;
    struct outcome *kept = &l->remembered[slot];
    note_committed(l, job);
    if (outcome->kind == OUTCOME_PUT_BACK) /* it is to run again */
        return;
    outcome_clear(kept);
    outcome_copy(kept, outcome);
    outcome_shorten(kept); /* what counts is that the job is not run again */
    l->number[slot] = job->number;
}

const struct outcome *ledger_recall(const struct ledger *l, const struct job *job)
{
    size_t slot = job->number % LEDGER_REMEMBERED;
    return job->number && l->number[slot] == job->number ? &l->remembered[slot] : NULL;
}
