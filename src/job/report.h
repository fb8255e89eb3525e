/* report.h - what a job's process tells its worker through a pipe, both ends.
 *
 * A frame is one type byte, the length of its body (4 bytes, little-endian) and the body. The
 * reader trusts nothing: sizes are capped, text is made valid UTF-8, a frame cut short counts as
 * never sent. */
#ifndef REPORT_H
#define REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "job/policy.h"

/* A body's largest size; a larger result is reported as null, longer texts are cut. */
#define REPORT_BODY_MAX (1024 * 1024)

enum report_kind {
    REPORT_NONE,   /* nothing, or cut short */
    REPORT_LOAD,   /* APP_INCLUDE could not be loaded, or the runner itself broke: failure.message
                      says why */
    REPORT_DONE,   /* result holds JSON */
    REPORT_FAILED, /* failure says how */
    REPORT_EXIT,   /* os.exit(exit_code); also while loading */
};

struct report_failure { /* NUL-terminated texts, "" if none; trace lines end in \n */
    const char *exception, *message, *trace;
    const char *limit; /* a literal: "timeout", "memory" or "cpu" ended the job; NULL: none did */
};

struct report_reader { /* what has come and is not a whole frame yet */
    unsigned char *buffer;
    size_t got, room;
};

struct report {
    bool started;             /* the job's own code may have run */
    bool on_failure;          /* somebody listens to onFailure, and has not been told */
    bool parent_hooks;        /* somebody listens to beforeFirstFork or beforeFork */
    bool unknown;             /* there was no class for the job, so no code of it has run */
    bool broken;              /* it could not be read to its end: more may have been said */
    struct job_policy policy; /* the job table's own */
    enum report_kind kind;
    int exit_code;
    char *body;         /* owns the texts below, which point into it */
    const char *result; /* JSON; "null" if there is none */
    size_t result_len;
    struct report_failure failure; /* of a REPORT_LOAD only its message */
    struct report_reader reader;
};

/* Reads what is there from the non-blocking `fd`. True while more may come; false at the end, or
 * when the report is broken. */
bool report_read(struct report *report, int fd);
void report_clear(struct report *report);

/* The writing end, in the job's process. 0 or -1 with errno. */
int report_send_started(int fd, bool on_failure, bool parent_hooks);
int report_send_load(int fd, const char *message);
int report_send_done(int fd, const char *json, size_t len);
int report_send_policy(int fd, const struct job_policy *policy);
int report_send_failed(int fd, const char *exception, const char *message, const char *trace,
                       const char *limit);
int report_send_exit(int fd, int code);
int report_send_telling(int fd); /* onFailure is about to be called */
int report_send_unknown(int fd); /* its class could not be had */

#endif
