/* jobsignals.h - what signals do in a job's process. Whether a job ends is its worker's decision
 * alone: a stop that reaches every process of a service must not end it behind the worker's back.
 *
 * So QUIT, INT, HUP, USR1, USR2 and TERM do nothing there. They have handlers, as programs that the
 * job executes have the defaults then; in a process that the job forks, too, they do what they do
 * by default. What the worker wants of the job stands on the board (board.h); a signal only says
 * that it is time to look. So nobody's signal is taken for the worker's, and the worker's is not
 * lost in one that somebody else sent before. */
#ifndef JOBSIGNALS_H
#define JOBSIGNALS_H

#include <stdatomic.h>

/* Where all of these signals are blocked, as in the worker: every process that it forks has the
 * handlers. `told` is where it writes what a job is to do, an enum board_told. */
void jobsignals_prepare(const atomic_int *told);

/* This process is the job's: before its signals are unblocked. */
void jobsignals_begin(void);

/* From now on the kernel's SIGXCPU, which comes each CPU second beyond the limit, raises
 * Resque::CpuLimit; the third ends the process. Anybody else's ends it, as by default. */
void jobsignals_hear_cpu(void);

#endif
