/* failing.h - the memory that spec/nth/sweep.lua, the preloaded library and every process of one
 * run share: a file mapped by all of them. sweep.lua reads and writes it with string.pack, so its
 * shape is fixed: 8-byte numbers in this order. */
#ifndef FAILING_H
#define FAILING_H

#include <stdatomic.h>
#include <stdint.h>

/* Who calls, told by counting forks: what the manager forks before it connects to Redis are the
 * throw-away processes that check APP_INCLUDE and the like, then come workers; a worker's forks run
 * jobs. */
enum failing_role { ROLE_MANAGER, ROLE_CHECK, ROLE_WORKER, ROLE_CHILD, ROLES };

enum failing_mode { MODE_ERROR, MODE_SHORT }; /* SHORT: read and write move one byte */

#define FAILING_CALLS 32
#define FAILING_PIDS 256

struct failing {
    int64_t call, role, error, mode; /* which row of calls[]; errno to fail with */
    int64_t first, times;            /* the n-th call fails, and the times - 1 after it; 0: none */
    _Atomic int64_t hits;            /* how many did */
    _Atomic int64_t pid_count;
    _Atomic int64_t pids[FAILING_PIDS];          /* every process that was forked */
    _Atomic int64_t count[ROLES][FAILING_CALLS]; /* calls so far */
};

#endif
