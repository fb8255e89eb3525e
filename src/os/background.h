/* background.h - detaches the program from its terminal. With BACKGROUND the command returns when
 * the start has succeeded or failed, and a process of its own goes on. */
#ifndef BACKGROUND_H
#define BACKGROUND_H

#include <stdbool.h>

struct background {
    int ready_fd;  /* tells the command how the start went; -1: not in the background */
    bool hangs_up; /* background_hangs_up, when the program started */
};

/* Forks away from terminal and session. In the command: returns the exit code of the start (>= 0),
 * once it is known. In the new process: -1. On failure: EXIT_FAILED, with errno. */
int background_start(struct background *b);

/* In the new process: the start is over with this exit code; 0 lets go of the terminal. */
void background_ready(struct background *b, int code);

/* Lets go of the terminal: standard input, output and error are /dev/null. LOGFILE is not touched.
 */
void background_detach(void);

/* Whether HUP will mean that the terminal is gone: the program was started at a terminal, and not
 * by nohup(1). To be called at the start, as the kernel takes the terminal away before it sends
 * HUP. */
bool background_hangs_up(void);

/* Makes standard input /dev/null, for workers: a job that reads gets the end of the file at once.
 */
void background_empty_stdin(void);

#endif
