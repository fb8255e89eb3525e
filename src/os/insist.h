/* insist.h - whether a stop that is asked for again means "now". One stop may come several times: a
 * supervisor sends it to every process, a key is hit twice.
 *
 * So a TERM or INT counts as a second one only if it came a second or more after the first QUIT,
 * TERM or INT. That it came so late is known if somebody had looked for signals by then and found
 * none: what has waited for a process that was held up says nothing about when it was sent. */
#ifndef INSIST_H
#define INSIST_H

#include <stdbool.h>
#include <stdint.h>

#define INSIST_AFTER 1.0 /* seconds */

struct insist {        /* all zero: nobody has asked for a stop */
    int64_t counts_at; /* from the first look after that; 0: no stop yet */
    bool counts;
};

/* A stop was asked for. Only the first time matters. */
void insist_begin(struct insist *i);

/* Whoever hears signals has taken all that came. */
void insist_look(struct insist *i);

/* When it is to look next, whatever comes; CLOCK_NEVER. */
int64_t insist_deadline(const struct insist *i);

#endif
