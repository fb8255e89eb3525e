/* limit.h - a job's limits: their names, and every text about them. joblimits.c says them in the
 * job's process, kill_reason.c and verdict.c in the worker.
 *
 * Each limit is a setting of the worker or a field of the job's table: resque/job/policy.lua reads
 * the table, policy.h holds what it says, a frame of report.h tells the worker. Then:
 *
 * time      measured  worker/child.c, by its clock from the fork on; until when: job/deadline.c
 *           told      BOARD_TIMEOUT on the board and a signal; jobsignals.c hears them,
 *                     interrupt.c raises Resque::Timeout, and again if the job catches it
 *           ended     worker/ladder.c: TERM after half of RESQUE_TERM_TIMEOUT, KILL after all of it
 *           record    "took longer than 30 s (timeout)"; if a signal ended it Resque::DirtyExit
 *                     "... by its worker for its time limit of 30 s"; limit "timeout"
 * memory    measured  luameter.c, in Lua's allocator; a C module's by the kernel (RLIMIT_AS)
 *           told      the allocator refuses: Lua raises its own error, joblimits.c names it
 *                     Resque::MemoryLimit and gives 1 MB once, for the failure and tearDown
 *           ended     nobody: each larger request fails; a job that goes on has its other limits
 *           record    "not enough memory (limit 16 MB)"; limit "memory"
 * CPU       measured  the kernel (RLIMIT_CPU, which joblimits.c sets), in whole seconds
 *           told      SIGXCPU, each second from then on; jobsignals.c hears it, interrupt.c raises
 *                     Resque::CpuLimit, and again as above
 *           ended     jobsignals.c: the third SIGXCPU ends the process
 *           record    "used more than 2 s of CPU time (cpu)"; if SIGXCPU ended it
 *                     Resque::DirtyExit "... for its CPU limit of 2 s"; limit "cpu"
 * TERM_CHILD, no limit but the same way: the worker is told to end the job
 *           told      BOARD_TERM: interrupt.c raises Resque::TermException, once
 *           ended     worker/ladder.c: KILL after RESQUE_TERM_TIMEOUT
 *           record    "SIGTERM"; if KILL ended it Resque::DirtyExit "... by its worker for SIGUSR1"
 *
 * luathread.c knows which coroutine to interrupt, luatrace.c keeps where it was. A job may make an
 * exit of a limit's error: by raised.h the worker (death.c) knows. */
#ifndef LIMIT_H
#define LIMIT_H

enum limit { LIMIT_NONE, LIMIT_TIMEOUT, LIMIT_MEMORY, LIMIT_CPU, LIMIT_COUNT };

/* Sizes of the texts below, in bytes. */
#define LIMIT_TEXT 64
#define LIMIT_LABEL 48

/* "timeout", "memory", "cpu", as failure records have it; NULL: LIMIT_NONE. A literal. */
const char *limit_name(enum limit which);

/* "Resque::Timeout" and so on. A literal. */
const char *limit_exception(enum limit which);

/* The text of its error: "took longer than 30 s (timeout)". `amount`: seconds or bytes. */
void limit_say(char text[LIMIT_TEXT], enum limit which, double amount);

/* What a process was killed for: "its time limit of 30 s". */
void limit_label(char label[LIMIT_LABEL], enum limit which, double amount);

#endif
