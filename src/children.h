/* children.h - which processes are children of this one, as the kernel tells: those that were
 * handed to it (a subreaper, or PID 1) because their parent has ended are among them. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <sys/types.h>

/* Fills `list` with the first `room` of them; zombies are listed too. Returns how many; 0 also
 * where the kernel does not tell (/proc/PID/task/PID/children is missing). */
int children_list(pid_t list[], int room);

#endif
