/* clock.c - the two clocks. Not the source of times in Redis: those come from its own TIME. */
#include "base/clock.h"

#include <time.h>

int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_after(double seconds)
{
    const double longest = 1e15; /* ms, 31,000 years: far from overflow when added to any uptime */
    double ms = seconds * 1000;
    if (!(ms < longest)) /* also NaN */
        return CLOCK_NEVER;
    if (ms < 0)
        ms = 0;
    int64_t whole = (int64_t)ms;
    if ((double)whole < ms) /* rounded up: a deadline may come late, never early */
        whole++;
    return clock_ms() + whole;
}

void clock_local(char out[CLOCK_LOCAL_SIZE])
{
    time_t now = time(NULL);
    struct tm parts;
    if (!localtime_r(&now, &parts) ||
        strftime(out, CLOCK_LOCAL_SIZE, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        out[0] = '\0'; /* a year of five digits */
}

int64_t clock_sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
