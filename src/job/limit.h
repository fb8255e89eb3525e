/* limit.h - what each limit of a job is called, and what its error says. joblimits.c sets them in
 * the job's process; verdict.c says which one ended a job. */
#ifndef LIMIT_H
#define LIMIT_H

enum limit { LIMIT_NONE, LIMIT_TIMEOUT, LIMIT_MEMORY, LIMIT_CPU, LIMIT_COUNT };

#define LIMIT_TEXT 64 /* bytes of its text at most */

/* "timeout", "memory", "cpu", as failure records have it; NULL: LIMIT_NONE. A literal. */
const char *limit_name(enum limit which);

/* "Resque::Timeout" and so on. A literal. */
const char *limit_exception(enum limit which);

/* The text of its error. `amount`: seconds or bytes. */
void limit_say(char text[LIMIT_TEXT], enum limit which, double amount);

#endif
