/* corefile.h - manager and worker leave no core file: the Redis password would be in it. Jobs get
 * back what the program was started with. */
#ifndef COREFILE_H
#define COREFILE_H

#include <stdbool.h>
#include <sys/resource.h>

struct corefile {
    struct rlimit given;
    bool changed;
};

/* In the manager, for itself and what it forks. */
void corefile_forbid(struct corefile *c);

/* In a new process that is to run scripts. */
void corefile_allow(const struct corefile *c);

#endif
