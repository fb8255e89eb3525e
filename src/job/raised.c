/* raised.c - see raised.h. A note is one number, of which nobody can read a half: the time of
 * clock_ms, and behind it the limit. */
#include "job/raised.h"

#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/clock.h"

/* Process-wide by nature: a hook and an allocator write the note. */
static struct {
    atomic_llong *note; /* NULL: not open */
    pid_t pid;          /* whose it is */
    long long before;   /* what it was before the last one */
} self;

void raised_open(atomic_llong *note)
{
    self.note = note;
    self.pid = getpid();
}

void raised_note(enum limit which)
{
    if (!self.note || getpid() != self.pid)
        return;
    self.before = atomic_exchange(self.note, clock_ms() * LIMIT_COUNT + which);
}

void raised_take_back(void)
{
    if (self.note && getpid() == self.pid)
        atomic_store(self.note, self.before);
}

void raised_clear(atomic_llong *note)
{
    atomic_store(note, 0);
}

enum limit raised_between(const atomic_llong *note, int64_t from, int64_t to)
{
    long long value = atomic_load(note);
    if (value <= 0 || value / LIMIT_COUNT < from || value / LIMIT_COUNT > to)
        return LIMIT_NONE;
    return (enum limit)(value % LIMIT_COUNT);
}
