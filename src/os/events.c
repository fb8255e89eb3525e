/* events.c - poll(2) over a handful of descriptors and a signalfd. See events.h. */
#include "os/events.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/descriptors.h"

/* Every signal that means something to manager and workers; SIGPIPE is ignored, the rest keeps its
 * default. */
static const int known_signals[] = {SIGTERM, SIGINT,  SIGQUIT, SIGUSR1,
                                    SIGUSR2, SIGCONT, SIGHUP,  SIGCHLD};

void events_init_plain(struct events *ev)
{
    for (int i = 0; i < EVENTS_SLOTS; i++) {
        ev->fd[i] = -1;
        ev->want[i] = POLLIN;
    }
    ev->signals = ev->passed_on = 0;
    ev->manager = 0;
    sigemptyset(&ev->original_mask);
}

int events_open(struct events *ev, const sigset_t *original, bool children)
{
    events_init_plain(ev);
    sigset_t known;
    sigemptyset(&known);
    for (size_t i = 0; i < sizeof known_signals / sizeof *known_signals; i++)
        sigaddset(&known, known_signals[i]);
    sigaddset(&known, EVENTS_BOARD); /* no constant, so not in the table */
    if (sigprocmask(SIG_BLOCK, &known, &ev->original_mask) < 0)
        return -1;
    if (original)
        ev->original_mask = *original;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD,
           SIG_DFL); /* whoever started us may ignore it: then nobody can wait for a child */
    if (!children)
        sigdelset(&known, SIGCHLD);
    ev->fd[EVENTS_SIGNAL] = descriptors_own(signalfd(-1, &known, SFD_NONBLOCK | SFD_CLOEXEC));
    return ev->fd[EVENTS_SIGNAL] < 0 ? -1 : 0;
}

void events_close(struct events *ev)
{
    descriptors_close(ev->fd[EVENTS_SIGNAL]);
    ev->fd[EVENTS_SIGNAL] = -1;
}

/* --- slots --- */

void events_watch(struct events *ev, enum events_slot slot, int fd, short want)
{
    ev->fd[slot] = fd;
    ev->want[slot] = want;
}

void events_unwatch(struct events *ev, enum events_slot slot)
{
    ev->fd[slot] = -1;
}

bool events_watches(const struct events *ev, enum events_slot slot)
{
    return ev->fd[slot] >= 0;
}

/* --- waiting --- */

/* A sender outside of our pid namespace has the number 0. */
static bool is_managers(const struct events *ev, const struct signalfd_siginfo *info)
{
    return ev->manager > 0 && info->ssi_pid == (uint32_t)ev->manager;
}

static void read_signals(struct events *ev)
{
    struct signalfd_siginfo info;
    while (read(ev->fd[EVENTS_SIGNAL], &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo < 64) {
            uint64_t *from = is_managers(ev, &info) ? &ev->passed_on : &ev->signals;
            *from |= UINT64_C(1) << info.ssi_signo;
        }
}

/* poll's time-out for a deadline: rounded up by clock_ms's truncation, clamped to what an int
 * holds. */
static int poll_timeout(int64_t deadline)
{
    if (deadline == CLOCK_NEVER)
        return -1;
    int64_t left = deadline - clock_ms();
    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

unsigned events_wait(struct events *ev, unsigned slots, int64_t deadline)
{
    struct pollfd fds[EVENTS_SLOTS];
    for (int i = 0; i < EVENTS_SLOTS; i++) {
        bool watched = i == EVENTS_SIGNAL || (slots & EVENTS_BIT(i));
        fds[i] = (struct pollfd){.fd = watched ? ev->fd[i] : -1, .events = ev->want[i]};
    }
    for (;;) {
        int timeout = poll_timeout(deadline);
        int ready = poll(fds, EVENTS_SLOTS, timeout);
        if (ready < 0 && errno != EINTR)
            return 0;
        if (ready == 0 && (timeout == 0 || clock_ms() >= deadline))
            return 0;
        if (ready > 0)
            break;
    }
    unsigned seen = 0;
    for (int i = 0; i < EVENTS_SLOTS; i++)
        if (fds[i].revents)
            seen |= EVENTS_BIT(i);
    if (seen & EVENTS_BIT(EVENTS_SIGNAL))
        read_signals(ev);
    return seen;
}

bool events_drain(const struct events *ev, enum events_slot slot)
{
    char dropped[64];
    while (read(ev->fd[slot], dropped, sizeof dropped) == (ssize_t)sizeof dropped)
        ;
    return true;
}

int64_t events_deadline(const struct events *ev, int64_t deadline)
{
    return ev->signals | ev->passed_on ? 0 : deadline;
}

bool events_pending(const struct events *ev, int signo)
{
    return (ev->signals | ev->passed_on) >> signo & 1;
}

unsigned events_take(struct events *ev, int signo)
{
    uint64_t bit = UINT64_C(1) << signo;
    unsigned senders =
        (ev->signals & bit ? EVENTS_OTHERS : 0) | (ev->passed_on & bit ? EVENTS_MANAGER : 0);
    ev->signals &= ~bit;
    ev->passed_on &= ~bit;
    return senders;
}
