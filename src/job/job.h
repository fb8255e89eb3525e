/* job.h - one reserved job: the bytes as they were in the queue, and what the server read of them.
 */
#ifndef JOB_H
#define JOB_H

#include <stddef.h>
#include <stdint.h>

#define WORKER_ID_SIZE 640   /* "host:pid:queues", cut off if it would be longer */
#define WORKER_NONCE_SIZE 17 /* 16 hex: names one worker process for ever */
#define JOB_TOKEN_SIZE 48    /* "<nonce>:<number>" */

struct job {
    char token[JOB_TOKEN_SIZE]; /* names this reservation; every commit is compared with it */
    uint64_t number;            /* the token's number */
    char *queue, *class, *id;   /* NUL-terminated copies; id is "" if the payload has none */
    size_t queue_len, class_len;
    int attempts;  /* how often it has crashed before */
    char *payload; /* exactly what was in the queue */
    size_t payload_len;
};

/* Frees what the job owns; fine on a zeroed job. */
void job_clear(struct job *job);

#endif
