/* temporary.h - where a C test may write: below TMPDIR, which goes when the run ends. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>

#define TEMPORARY_SIZE 200

/* A path for mkstemp or mkdtemp. */
static inline void temporary_path(char path[TEMPORARY_SIZE], const char *name)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, TEMPORARY_SIZE, "%s/%s-XXXXXX", folder ? folder : "/tmp", name);
}

#endif
