/* stopat.h - places where a test build stops, so that a test can end the process exactly there.
 *
 * Nothing in a normal build. With -DRL_STOPAT (make CPPFLAGS=-DRL_STOPAT) every process shows the
 * place it passed last as its name (/proc/PID/comm), and when the folder named by the variable
 * RL_STOPAT holds a file of a place's name, the process that passes there takes the file away and
 * stops itself (SIGSTOP). A folder, where a name:n in the variable would do for one stop: a test
 * chooses while the program runs, so one program serves any number of stops; that the file is gone
 * says that somebody passed; and the n-th passage is a file put there when n-1 have been seen. */
#ifndef STOPAT_H
#define STOPAT_H

#ifdef RL_STOPAT
void stop_at(const char *place); /* at most 15 bytes */
#define STOP_AT(place) stop_at(place)
#else
#define STOP_AT(place) ((void)0)
#endif

#endif
