/* stopat.h - places where a test build stops, so that a test can end the process exactly there.
 *
 * Nothing in a normal build. With -DRL_STOPAT (make CPPFLAGS=-DRL_STOPAT) every process shows the
 * place it passed last as its name (/proc/PID/comm). When the folder named by the variable
 * RL_STOPAT holds a file with a place's name, the next process that passes the place removes the
 * file and stops itself (SIGSTOP). A folder lets a test choose places while the program runs, and
 * the missing file tells the test that a process has passed. */
#ifndef STOPAT_H
#define STOPAT_H

#ifdef RL_STOPAT
void stop_at(const char *place); /* at most 15 bytes */
#define STOP_AT(place) stop_at(place)
#else
#define STOP_AT(place) ((void)0)
#endif

#endif
