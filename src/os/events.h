/* events.h - the one wait of the program: signals, the child, its report, Redis, the wake-up pipe,
 * time.
 *
 * Signals are blocked and read from a signalfd, so no code runs in a handler. A signal only sets a
 * bit in `signals`; whoever called takes the bits between steps. */
#ifndef EVENTS_H
#define EVENTS_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum events_slot {
    EVENTS_SIGNAL, /* watched always */
    EVENTS_REDIS,  /* the connection that is being waited for */
    EVENTS_CHILD,  /* pidfd of the running job */
    EVENTS_REPORT, /* its report pipe */
    EVENTS_STDOUT, /* its output, or the reader of it: see output_watch */
    EVENTS_STDERR,
    EVENTS_WAKEUP, /* "look at the queues" from the manager */
    EVENTS_WATCH,  /* manager: the connection that reports changes of queues */
    EVENTS_ORDERS, /* manager: the connection that brings orders */
    EVENTS_SLOTS
};

/* "Something for you is on the board" (board.h): from a manager to a worker, whose wait it ends,
 * and from a worker to its job's process. A real-time signal, as people send all the others. */
#define EVENTS_BOARD SIGRTMIN

/* What events_wait returns: one bit per ready slot; 0 is the deadline. */
#define EVENTS_BIT(slot) (1u << (slot))

struct events {               /* the slots are for events.c alone: see events_watch */
    int fd[EVENTS_SLOTS];     /* -1: nothing there */
    short want[EVENTS_SLOTS]; /* POLLIN, POLLOUT */
    uint64_t signals;         /* bit n: signal n came and was not taken yet */
    uint64_t passed_on;       /* the same, of those that the manager sent */
    pid_t manager;            /* 0: none */
    sigset_t original_mask;   /* what a job gets back */
};

/* Blocks the signals this program knows and opens the signalfd. `original` is the mask that jobs
 * get back; NULL: the one in force until now. CHLD is reported only with `children`: whoever has a
 * pidfd needs no CHLD. 0 or -1 with errno. */
int events_open(struct events *ev, const sigset_t *original, bool children);

/* Closes the signalfd; the mask stays blocked. */
void events_close(struct events *ev);

/* An events struct that watches no signals, for programs that only wait for Redis. */
void events_init_plain(struct events *ev);

/* Waits until one of `slots` is ready, a signal comes, or clock_ms() reaches `deadline`. A signal
 * that came before and was not taken does not end the wait, as Redis is waited for in the middle of
 * a step; with the deadline wrapped in events_deadline() it does. */
unsigned events_wait(struct events *ev, unsigned slots, int64_t deadline);

/* Has waits that name `slot` wait for `fd`; `want` is POLLIN or POLLOUT. events_unwatch leaves the
 * slot empty, events_watches tells whether it is not. The descriptor stays the caller's. */
void events_watch(struct events *ev, enum events_slot slot, int fd, short want);
void events_unwatch(struct events *ev, enum events_slot slot);
bool events_watches(const struct events *ev, enum events_slot slot);

/* Throws away what a pipe whose bytes mean nothing holds. True. */
bool events_drain(const struct events *ev, enum events_slot slot);

/* Takes a signal: who has sent it since the last call; 0: nobody has. */
#define EVENTS_OTHERS 1u
#define EVENTS_MANAGER 2u
unsigned events_take(struct events *ev, int signo);
int64_t events_deadline(const struct events *ev,
                        int64_t deadline); /* 0 if signals are still to be taken */
bool events_pending(const struct events *ev, int signo);

#endif
