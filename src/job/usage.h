/* usage.h - what a job's process has used, as the kernel tells at its end. */
#ifndef USAGE_H
#define USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct usage {
    bool known;      /* false: there was no process */
    int64_t wall_ms; /* from its start to its end */
    int64_t cpu_ms;  /* user and system, with that of the programs it ran and waited for */
    int64_t peak_kb; /* largest resident memory, of the job or of one of those programs */
};

#endif
