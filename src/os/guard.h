/* guard.h - the last resort against scripts that do not come to an end in a process that hears no
 * signals meanwhile: a timer whose signal ends it. SIGALRM and alarm(2) are the scripts' own. */
#ifndef GUARD_H
#define GUARD_H

#include <signal.h>

#define GUARD_SIGNAL (SIGRTMIN + 1)

/* In `seconds` this process ends by GUARD_SIGNAL; one at a time. */
void guard_begin(double seconds);

/* The timer is gone, and so is an alarm that the scripts left behind. */
void guard_end(void);

#endif
