/* insist.h - tells a second stop, which means "now", from an echo of the first one: a supervisor
 * sends one stop to every process, a key is hit twice.
 *
 * A TERM or INT is a second one if it came a second or more after the first QUIT, TERM or INT. A
 * signal does not say when it was sent. So it counts only after a look for signals, at least a
 * second later, that found none: a signal may have waited for a process that was held up. */
#ifndef INSIST_H
#define INSIST_H

#include <stdbool.h>
#include <stdint.h>

#define INSIST_AFTER 1.0 /* seconds */

struct insist {        /* all zero: nobody has asked for a stop */
    int64_t counts_at; /* the first look after that time sets `counts`; 0: no stop yet */
    bool counts;
};

/* Notes that a stop was asked for. Only the first time matters. */
void insist_begin(struct insist *i);

/* Notes a look for signals, all of which have been taken. */
void insist_look(struct insist *i);

/* When the next look is due; CLOCK_NEVER. */
int64_t insist_deadline(const struct insist *i);

#endif
