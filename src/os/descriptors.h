/* descriptors.h - the list of descriptors that are this process's own: a process that it forks
 * closes all of them at once.
 *
 * A descriptor that is forgotten there keeps a connection, a pipe or a lock alive for as long as a
 * job runs, and is a door for the job. The code that opens one enters it here, unless it closes it
 * before the next fork. Log file and standard streams are not entered, as jobs use them. */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

/* Enters `fd` in the list; -1 is ignored. Returns `fd`. */
int descriptors_own(int fd);

/* Takes `fd` off the list, without closing it, for what is closed by others (hiredis). */
void descriptors_disown(int fd);

/* Takes `fd` off the list and closes it; -1 is ignored. */
void descriptors_close(int fd);

/* Closes all that are in the list, in a forked process. */
void descriptors_let_go(void);

#endif
