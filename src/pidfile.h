/* pidfile.h - a locked PID file: one live manager per file, stale files replaced. */
#ifndef PIDFILE_H
#define PIDFILE_H

#include <stddef.h>

struct pidfile {
    char *path; /* NULL: none held */
    int fd;     /* holds the lock (OFD or flock), close-on-exec */
};

/* Creates `path` (0644), locks it, writes the pid and a newline. Replaces a file nobody holds, with or without
 * content. 0; -1 with the reason in `err` (names the pid that holds it; or the failing call: directory missing,
 * disk full - a file that could not be written whole is removed). */
int pidfile_open(struct pidfile *p, const char *path, char *err, size_t err_size);

/* In a forked child: lets go of it without removing the file. */
void pidfile_forget(struct pidfile *p);

/* Removes the file, if it is still the one we wrote, and unlocks it. */
void pidfile_close(struct pidfile *p);

#endif
