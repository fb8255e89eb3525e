/* kill_reason.h - why a worker ended the process of a job. Each reason is one row: its words in the
 * failure record, and whether somebody meant this very job. */
#ifndef KILL_REASON_H
#define KILL_REASON_H

#include <stdbool.h>

enum kill_reason {
    KILL_NONE,      /* the worker did not end it */
    KILL_USR1,      /* its worker got USR1 */
    KILL_CANCEL,    /* resque-lua job ID --kill */
    KILL_TERM,      /* its worker was told to leave by TERM, */
    KILL_INT,       /* by INT, */
    KILL_LEFT_OVER, /* or by TERM with GRACEFUL_TERM, and RESQUE_TERM_TIMEOUT has passed */
    KILL_TIMEOUT,   /* the job took longer than its time limit */
    KILL_CPU,       /* the kernel ended it for its CPU limit */
    KILL_UNWATCHED, /* there is no pidfd, so nobody could have waited for its end */
    KILL_REASONS
};

#define KILL_REASON_TEXT 64 /* bytes of its words at most */

/* Writes "SIGUSR1", "its time limit of 30 s" and so on. `seconds` are those of a limit. Returns
 * `text`; NULL for KILL_NONE. */
const char *kill_reason_say(char text[KILL_REASON_TEXT], enum kill_reason why, double seconds);

/* The worker leaves: whichever job it had would have been ended, so ON_CRASH puts it back. */
bool kill_reason_is_leave(enum kill_reason why);

#endif
