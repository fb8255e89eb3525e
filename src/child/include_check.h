/* include_check.h - can APP_INCLUDE be loaded? Asked at start and at HUP, and by a worker that
 * could not load it before, in a throw-away process, so that nothing the scripts do stays. */
#ifndef INCLUDE_CHECK_H
#define INCLUDE_CHECK_H

#include "job/board.h"
#include "options/options.h"
#include "os/confine.h"
#include "os/events.h"

struct include_check { /* all borrowed */
    const struct options *options;
    struct confine *confine; /* the scripts are loaded as jobs will load them */
    struct events *events;   /* TERM, INT and QUIT end the check */
    struct board *board;     /* learns whether parent hooks are registered */
};

#define INCLUDE_CHECK_WHY 4096

/* 0, or -1 and why not. With NO_INCLUDE: whether there is the folder ./jobs. */
int include_check_run(const struct include_check *check, char *why, size_t size);

/* The same; why not is in the log. */
int include_check_say(const struct include_check *check);

#endif
