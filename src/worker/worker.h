/* worker.h - one worker: takes jobs, has each run in a process of its own, commits how it ended. */
#ifndef WORKER_H
#define WORKER_H

#include <signal.h>
#include <sys/types.h>

#include "job/board.h"
#include "options/options.h"
#include "os/confine.h"

enum worker_exit {                         /* what the manager makes of it: see member.c */
                   WORKER_EMPTY = 0,       /* INTERVAL=0 and nothing left to do */
                   WORKER_HOOK_FAILED = 3, /* beforeFirstFork raised */
                   WORKER_LEFT_JOBS = 4,   /* the same, but for queues that it leaves alone */
                   WORKER_STOPPED = 20,    /* told to leave, by the manager or by somebody else */
                   WORKER_BROKEN = 21,     /* the system refused something it cannot do without */
};

struct worker_context {
    const struct options *options;
    struct confine *confine;    /* what jobs give up */
    struct lua_State *prepared; /* for jobs: see job_state_prepare */
    struct board *board;
    struct board_slot *slot;
    int wakeup_fd; /* readable when the queues are worth a look (no data of meaning); -1: none */
    const sigset_t *original_mask; /* what jobs get back */
    pid_t manager;
};

/* Runs in the process that the manager forked for it, until told to leave. */
enum worker_exit worker_run(const struct worker_context *context);

#endif
