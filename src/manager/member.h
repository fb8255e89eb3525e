/* member.h - the life of one worker's process, as its manager sees it: started, ended, started
 * again.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/backoff.h"
#include "job/board.h"
#include "options/options.h"
#include "os/confine.h"
#include "os/events.h"

struct member {
    pid_t pid;     /* 0: not running */
    int wakeup_fd; /* writing end of the pipe that wakes it; -1: none */
    struct board_slot *slot;
    int64_t started_at, restart_at; /* restart_at: CLOCK_NEVER unless it is to be started */
    struct backoff backoff;
};

/* The things that a new worker's process is given; all are borrowed. */
struct member_context {
    const struct options *options;
    struct confine *confine;
    struct lua_State *prepared; /* what the process of every job starts from */
    struct board *board;
    struct events *events;
    bool wakes;  /* BLOCKING: the worker gets a pipe by which it is woken */
    bool paused; /* it begins paused: the user's word is for all workers, present and future */
};

/* Forks a worker. Where that fails, logs it and notes when to try again. */
void member_start(struct member *member, const struct member_context *context);

/* Notes that the process has ended: it is not running any more. */
void member_ended(struct member *member);

/* Says what the end of process `pid` means, and decides whether another one takes its place; none
 * does while the manager is `stopping`. Returns EXIT_DONE, or the program's exit code if this end
 * decides it. */
int member_judge(struct member *member, pid_t pid, int status, bool stopping);

#endif
