/* limit.c - see limit.h. */
#include "job/limit.h"

#include <math.h>

#include "base/plain.h"

static const struct {
    const char *name, *exception;
} limits[LIMIT_COUNT] = {
    [LIMIT_TIMEOUT] = {"timeout", "Resque::Timeout"},
    [LIMIT_MEMORY] = {"memory", "Resque::MemoryLimit"},
    [LIMIT_CPU] = {"cpu", "Resque::CpuLimit"},
};

const char *limit_name(enum limit which)
{
    return limits[which].name;
}

const char *limit_exception(enum limit which)
{
    return limits[which].exception;
}

static void say_memory(char text[LIMIT_TEXT], double bytes)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB"};
    int unit = 0;
    for (; unit < 3 && fmod(bytes, 1024) == 0; unit++)
        bytes /= 1024;
    plain_format(text, LIMIT_TEXT, "not enough memory (limit %.0f %s)", bytes, units[unit]);
}

/* The kernel counts whole CPU seconds. */
void limit_say(char text[LIMIT_TEXT], enum limit which, double amount)
{
    if (which == LIMIT_MEMORY)
        say_memory(text, amount);
    else if (which == LIMIT_CPU)
        plain_format(text, LIMIT_TEXT, "used more than %g s of CPU time (cpu)", ceil(amount));
    else
        plain_format(text, LIMIT_TEXT, "took longer than %g s (timeout)", amount);
}
