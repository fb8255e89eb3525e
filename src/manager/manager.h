/* manager.h - what the user starts: keeps COUNT workers alive, passes signals on, accounts for a
 * dead one. */
#ifndef MANAGER_H
#define MANAGER_H

#include "options/options.h"

/* Runs until every worker has left. Returns the program's exit code. */
int manager_run(const struct options *options);

#endif
