/* signals.c - see signals.h. sigabbrev_np is glibc only. */
#include "os/signals.h"

#include <signal.h>
#include <stdio.h>

static const struct {
    int signo;
    const char *name;
} names[] = {
    {SIGHUP, "SIGHUP"},       {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},
    {SIGTRAP, "SIGTRAP"},     {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGKILL, "SIGKILL"},     {SIGUSR1, "SIGUSR1"}, {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"},
    {SIGPIPE, "SIGPIPE"},     {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"}, {SIGCONT, "SIGCONT"},
    {SIGSTOP, "SIGSTOP"},     {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},
    {SIGVTALRM, "SIGVTALRM"}, {SIGPROF, "SIGPROF"}, {SIGIO, "SIGIO"},     {SIGCHLD, "SIGCHLD"},
};

const char *signals_name(int signo)
{
    static char nameless[32];
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].signo == signo)
            return names[i].name;
    if (signo == SIGRTMIN)
        return "SIGRTMIN";
    if (signo > SIGRTMIN && signo <= SIGRTMAX)
        snprintf(nameless, sizeof nameless, "SIGRTMIN+%d", signo - SIGRTMIN);
    else
        snprintf(nameless, sizeof nameless, "signal %d", signo);
    return nameless;
}
