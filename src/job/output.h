/* output.h - passes on what jobs write to stdout and stderr, unchanged, to the worker's own, and
 * keeps the last of it for the failure record.
 *
 * Each of the two has a pipe, or both share one where they are the same file, so that the order
 * stays. The pipes are made once and serve one job after the other. The worker never waits for the
 * reader of its output: bytes that cannot be passed on stay in the pipe, and in the end the job
 * waits, as it would without a worker in between. Lines stay whole where several workers write to
 * the same file. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/events.h"

#define OUTPUT_KEPT 4096 /* bytes of a job's output that are remembered */

struct output_stream {
    int read_end, write_end; /* of the job's pipe; -1: the other stream's serves for both */
    int target;              /* where it goes */
    bool stuck;              /* the last job's output was not taken: do not wait again */
    bool broken;             /* it could not be read: what is left in it is not the next job's */
    size_t len, due;         /* bytes in `text`, and how many of them may go now */
    char *text;              /* PIPE_BUF bytes: what was read and not passed on yet */
};

struct output {
    struct output_stream stream[2]; /* stdout, stderr */
    uint64_t total;                 /* bytes of this job so far */
    char kept[OUTPUT_KEPT];         /* the last of them, in a ring */
    char text[2][PIPE_BUF];
};

/* Opens the pipes, when descriptors 1 and 2 are final. Makes stdout line-buffered, for the
 * processes to come. 0 or -1 with errno. */
int output_open(struct output *output);
void output_close(struct output *output);

/* output_begin, before the fork, forgets the output of the job before. output_attach, in the new
 * process, makes 1 and 2 the pipes, before it lets go of what is the worker's. */
void output_begin(struct output *output);
void output_attach(const struct output *output);

/* Fills the slots EVENTS_STDOUT and EVENTS_STDERR for the next wait. */
void output_watch(const struct output *output, struct events *ev);

/* Passes on what is there, as far as the readers take it. */
void output_pass(struct output *output);

/* Passes on the rest, after the job's processes have ended; drops what is not taken within a tenth
 * of a second. With `survivors`, processes that may still write, the next job gets other pipes. */
void output_end(struct output *output, bool survivors);

/* The last of what the job wrote, printable but with its line ends and tabs, beginning with a whole
 * character; the caller's to free. NULL: nothing. */
char *output_text(const struct output *output, size_t *len);

#endif
