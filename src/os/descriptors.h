/* descriptors.h - the list of descriptors that are this process's own: a process that it forks lets
 * go of all of them at once.
 *
 * A descriptor that is forgotten there keeps a connection, a pipe or a lock alive for as long as a
 * job runs, and gives the job a door. So whoever opens one that is not close-on-fork by itself
 * enters it here; log file and standard streams are not entered, as jobs use them. */
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
