/* blocked.h - remembers why a worker cannot start any job: APP_INCLUDE cannot be loaded, fork
 * fails. Each job is put back and tried again a second later, for as long as it takes. The log says
 * so when that begins, then at longer and longer intervals, and when it is over. */
#ifndef BLOCKED_H
#define BLOCKED_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCKED_WHY 300 /* bytes of the reason that is kept */

struct blocked {           /* all zero: nothing does */
    char why[BLOCKED_WHY]; /* the newest reason, its first line; "": nothing does */
    int repeated;          /* how often that one has come in a row */
    long tries;
    int64_t since, say_at; /* when it began, when it is said again */
    double pause;          /* seconds between saying it */
};

/* Notes a try that failed. True: the caller is to log it. */
bool blocked_note(struct blocked *b, const char *why, int64_t now);

/* Notes that a job has started. True: none could before. */
bool blocked_over(struct blocked *b, int64_t now);

#endif
