/* jobsignals.c - see jobsignals.h. */
#include "child/jobsignals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "child/interrupt.h"
#include "job/board.h"
#include "lua/lualib_sleep.h"
#include "os/events.h"

#define CPU_SIGNALS 2 /* after so many more CPU seconds than its limit the process ends */

/* Process-wide by nature: signal handlers read it. */
static struct {
    pid_t pid;              /* the job's; what it forks has another one */
    const atomic_int *told; /* on the board */
} self;
static volatile sig_atomic_t heard;   /* what of `told` is done already */
static volatile sig_atomic_t nothing; /* a signal came that did nothing */
static volatile sig_atomic_t cpu_signals;

static void end_process(int signo)
{
    signal(signo, SIG_DFL);
    raise(signo); /* comes when its handler is left */
}

/* SIGPIPE does nothing: a cut connection is an error of write, not the end of the job. */
static void on_pipe(int signo)
{
    (void)signo;
}

static void on_stray(int signo)
{
    if (getpid() != self.pid)
        end_process(signo);
    nothing = 1;
}

static void look(int signo);

/* Whether TERM's handler is ours: a job, or its library, that has another gets the signal alone. */
static bool term_is_ours(void)
{
    struct sigaction now;
    return sigaction(SIGTERM, NULL, &now) == 0 && now.sa_handler == look;
}

static void obey(int told)
{
    if (told == BOARD_TIMEOUT)
        interrupt_raise(INTERRUPT_TIMEOUT);
    else if (told == BOARD_TERM && term_is_ours())
        interrupt_raise(INTERRUPT_TERM);
    else if (told == BOARD_END && term_is_ours())
        end_process(SIGTERM);
}

/* Hears TERM and the worker's own signal: the board tells what is meant. */
static void look(int signo)
{
    if (getpid() != self.pid) {
        end_process(signo);
        return;
    }
    int told = atomic_load(self.told);
    if (told == heard) {
        nothing = 1;
        return;
    }
    heard = told;
    obey(told);
}

static void on_cpu(int signo, siginfo_t *info, void *context)
{
    (void)context;
    bool limit = info->si_code == SI_KERNEL && getpid() == self.pid;
    if (!limit || ++cpu_signals > CPU_SIGNALS)
        end_process(signo);
    else
        interrupt_raise(INTERRUPT_CPU);
}

/* Whether the signals since the last call did nothing, so that a sleep goes on. */
static bool was_nothing(void)
{
    bool was = nothing && !interrupt_pending();
    nothing = 0;
    return was;
}

static void hear(int signo, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(signo, &action, NULL);
}

/* Whether nohup, or a shell without job control, had a signal ignored: so do a job's programs. */
static bool is_ignored(int signo)
{
    struct sigaction before;
    return sigaction(signo, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
}

void jobsignals_prepare(const atomic_int *told)
{
    static const int stray[] = {SIGQUIT, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    self.told = told;
    for (size_t i = 0; i < sizeof stray / sizeof *stray; i++)
        if (!is_ignored(stray[i]))
            hear(stray[i], on_stray, SA_RESTART);
    hear(SIGTERM, look, SA_RESTART);
    hear(EVENTS_BOARD, look, 0); /* no SA_RESTART: a sleep or a read is to end */
    lualib_sleep_through(was_nothing);
}

void jobsignals_begin(void)
{
    self.pid = getpid();
    hear(SIGPIPE, on_pipe, SA_RESTART);
}

void jobsignals_hear_cpu(void)
{
    struct sigaction action = {.sa_sigaction = on_cpu, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGXCPU, &action, NULL);
}
