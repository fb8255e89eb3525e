/* env_file.h - reads a file of NAME=value lines (--env-file), as systemd's EnvironmentFile and
 * docker's --env-file are.
 *
 * Blank lines and lines beginning with # are skipped, `export ` in front is allowed. A value may
 * stand in '...' (taken as it is) or "..." (\" \\ \$ \` \n \t are read). Nothing is expanded: it is
 * not a shell. */
#ifndef ENV_FILE_H
#define ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct env_file {
    char **names; /* variables that came from the file, in its order */
    size_t count;
};

/* Puts the file's variables into the environment; those already there keep their value. Within the
 * file the last line of a name counts. 0, or -1 with file:line, what and why in `err`.
 * env_file_clear after either. */
int env_file_load(struct env_file *f, const char *path, char *err, size_t err_size);
bool env_file_gave(const struct env_file *f, const char *name);
void env_file_clear(struct env_file *f);

#endif
