/* children.h - lists the children of this process, as the kernel knows them. Orphans that the
 * kernel handed to this process (a subreaper, or PID 1) are among them. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <sys/types.h>

#define CHILDREN_FILE_SIZE 48

/* Fills `list` with the pids of the first `room` children, zombies included. Returns how many; -1
 * with errno where the kernel has no such file. */
int children_list(pid_t list[], int room);

/* The path of the file of /proc that lists them. */
void children_file(char path[CHILDREN_FILE_SIZE]);

#endif
