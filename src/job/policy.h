/* policy.h - what one job may use, and what becomes of it if it crashes: from its table, else from
 * the worker's settings. limit.h has the map of who keeps to it. */
#ifndef POLICY_H
#define POLICY_H

#include <stddef.h>

/* 0 (requeue: negative) is not given: the worker's setting counts. */
struct job_policy {
    double timeout; /* seconds from the start of its process; INFINITY: no limit */
    size_t memory;  /* bytes of Lua's; SIZE_MAX: no limit */
    double cpu;     /* seconds of its process; INFINITY: no limit */
    int requeue;    /* how often a crashed job is put back */
};

#define POLICY_REQUEUE_MAX 1000

#endif
