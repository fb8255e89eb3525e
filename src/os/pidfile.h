/* pidfile.h - a locked PID file: one live manager per file, stale files replaced.
 *
 * The lock, not the number in the file, says whether somebody lives: numbers are used again. */
#ifndef PIDFILE_H
#define PIDFILE_H

#include <stddef.h>

struct pidfile {
    char *path; /* absolute; NULL: none held */
    int fd;     /* holds the lock (flock), until the last process that inherited it lets go */
};

/* Creates `path` (0644), locks it, writes the pid and a newline. Replaces a file nobody holds, with
 * or without content, unless it is too large for a PID file or no regular file (a mistyped name
 * costs no data). 0; -1 with the reason, and on a second line a `hint: `, in `err` (names the pid
 * that holds it; or the failing call: folder missing, disk full - a file that could not be written
 * whole is removed). */
int pidfile_open(struct pidfile *p, const char *path, char *err, size_t err_size);

/* Removes the file, if it is still the one we wrote, and unlocks it. Fine when none is held. */
void pidfile_close(struct pidfile *p);

#endif
