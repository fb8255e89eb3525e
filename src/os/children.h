/* children.h - which processes are children of this one, as the kernel tells: those that were
 * handed to it (a subreaper, or PID 1) because their parent has ended are among them. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <sys/types.h>

#define CHILDREN_FILE_SIZE 48

/* Fills `list` with the first `room` of them; zombies are listed too. Returns how many; -1 with
 * errno where the kernel does not tell. */
int children_list(pid_t list[], int room);

/* The file that tells. */
void children_file(char path[CHILDREN_FILE_SIZE]);

#endif
