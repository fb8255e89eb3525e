/* raised.h - a note, in the memory of the board, of the limit whose error a job has raised last.
 * What becomes of an error is up to the job: a library may make an exit of it, which nobody could
 * tell from a crash. */
#ifndef RAISED_H
#define RAISED_H

#include <stdatomic.h>
#include <stdint.h>

#include "job/limit.h"

/* --- in the job's process --- */

/* From now on the note is there. A process that this one forks leaves it alone. */
void raised_open(atomic_llong *note);

/* An error of this limit is about to be raised. Does nothing where no note is open. */
void raised_note(enum limit which);

/* That error was not raised after all: the note is what it was before. */
void raised_take_back(void);

/* --- in the worker --- */

/* Before a job is started: what the last one left counts no more. */
void raised_clear(atomic_llong *note);

/* Which limit's error was raised last between two times of clock_ms. LIMIT_NONE: none was, or what
 * stands there is no note of ours: jobs can write there. */
enum limit raised_between(const atomic_llong *note, int64_t from, int64_t to);

#endif
