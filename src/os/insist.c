/* insist.c - see insist.h. */
#include "os/insist.h"

#include "base/clock.h"

void insist_begin(struct insist *i)
{
    if (!i->counts_at)
        i->counts_at = clock_after(INSIST_AFTER);
}

void insist_look(struct insist *i)
{
    if (i->counts_at && clock_ms() >= i->counts_at)
        i->counts = true;
}

int64_t insist_deadline(const struct insist *i)
{
    return i->counts_at && !i->counts ? i->counts_at : CLOCK_NEVER;
}
