/* limit.c - see limit.h. */
#include "job/limit.h"

#include <math.h>
#include <stddef.h>

#include "base/plain.h"

#define AMOUNT 32 /* bytes of "1234567 bytes" at most */

static const struct {
    const char *name, *exception;
    const char *before, *after; /* the amount, in the text of its error */
    const char *kind;           /* in its label */
} limits[LIMIT_COUNT] = {
    [LIMIT_TIMEOUT] = {"timeout", "Resque::Timeout", "took longer than ", " (timeout)", "time"},
    [LIMIT_MEMORY] = {"memory", "Resque::MemoryLimit", "not enough memory (limit ", ")", "memory"},
    [LIMIT_CPU] = {"cpu", "Resque::CpuLimit", "used more than ", " of CPU time (cpu)", "CPU"},
};

const char *limit_name(enum limit which)
{
    return limits[which].name;
}

const char *limit_exception(enum limit which)
{
    return limits[which].exception;
}

static void say_bytes(char text[AMOUNT], double bytes)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB"};
    int unit = 0;
    for (; unit < 3 && fmod(bytes, 1024) == 0; unit++)
        bytes /= 1024;
    plain_format(text, AMOUNT, "%.0f %s", bytes, units[unit]);
}

/* Writes an amount with its unit. The kernel counts whole CPU seconds. */
static void say_amount(char text[AMOUNT], enum limit which, double amount)
{
    if (which == LIMIT_MEMORY)
        say_bytes(text, amount);
    else
        plain_format(text, AMOUNT, "%g s", which == LIMIT_CPU ? ceil(amount) : amount);
}

void limit_say(char text[LIMIT_TEXT], enum limit which, double amount)
{
    char said[AMOUNT];
    say_amount(said, which, amount);
    plain_format(text, LIMIT_TEXT, "%s%s%s", limits[which].before, said, limits[which].after);
}

void limit_label(char label[LIMIT_LABEL], enum limit which, double amount)
{
    char said[AMOUNT];
    say_amount(said, which, amount);
    plain_format(label, LIMIT_LABEL, "its %s limit of %s", limits[which].kind, said);
}
