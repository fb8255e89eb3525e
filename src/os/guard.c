/* guard.c - see guard.h. */
#include "os/guard.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

/* Process-wide by nature. */
static timer_t timer;
static bool armed;

void guard_begin(double seconds)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = GUARD_SIGNAL};
    struct itimerspec span = {.it_value.tv_sec = (time_t)seconds};
    span.it_value.tv_nsec = (long)((seconds - (double)span.it_value.tv_sec) * 1e9);
    signal(GUARD_SIGNAL, SIG_DFL);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0) {
        log_warn("scripts run without a last limit: timer_create: %s", strerror(errno));
        return;
    }
    armed = timer_settime(timer, 0, &span, NULL) == 0;
}

void guard_end(void)
{
    if (armed)
        timer_delete(timer);
    armed = false;
    alarm(0);
}
