/* signals.h - names of signals. */
#ifndef SIGNALS_H
#define SIGNALS_H

/* "SIGKILL"; "signal 42" for one without a name here. Static, or overwritten by the next nameless
 * call. */
const char *signals_name(int signo);

#endif
