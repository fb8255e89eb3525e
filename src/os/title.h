/* title.h - the process title as `ps -o command` shows it: argv and environ overwritten.
 *
 * A Ruby worker on the same host takes a worker for dead whose title does not match `resque-[0-9]`,
 * or contains `resque-web` (docs/redis.md). So every title starts with "resque-1.0: "
 * (version.h), and spells it `resque_web`. */
#ifndef TITLE_H
#define TITLE_H

/* Bytes that a title may use at least, where /proc is there. */
#define TITLE_SPACE 1024

/* Call first in main: before threads, and before anything keeps a pointer that getenv returned or
 * one into argv. Moves environ elsewhere and wipes the original (secrets leave /proc/pid/environ);
 * where argv and environ give less than TITLE_SPACE bytes, executes the program once more with
 * padding. After it *argv holds copies, which live as long as the process; argv[0] and the name of
 * the process (comm) are as they were. 0, or -1 with errno: titles then stay as they are (title_set
 * does nothing). */
int title_init(int argc, char ***argv);

/* Text put before every title from now on (RESQUE_PROCLINE_PREFIX), its first 256 bytes; not owned;
 * NULL: none. */
void title_set_prefix(const char *prefix);

/* Sets the title to prefix + "resque-1.0: " + the text, made printable, cut to the space there is.
 */
void title_set(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same in two steps: a title that is made before a fork costs the new process no copies of the
 * memory that making it touches. */
#define TITLE_MOST                                                                                 \
    4096 /* the kernel shows one page of a title that runs over argv (fs/proc/base.c) */
void title_make(char title[TITLE_MOST], const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void title_show(const char *title);

#endif
