/* guard.h - a timer that ends this process by a signal: the last resort where scripts run in a
 * process that hears no signals meanwhile. SIGALRM and alarm(2) are left to the scripts. */
#ifndef GUARD_H
#define GUARD_H

#include <signal.h>

#define GUARD_SIGNAL (SIGRTMIN + 1)

/* Ends this process by GUARD_SIGNAL in `seconds`. One timer at a time. */
void guard_begin(double seconds);

/* Removes the timer, and an alarm that the scripts left behind. */
void guard_end(void);

#endif
