/* kill_reason.c - see kill_reason.h. */
#include "worker/kill_reason.h"

#include "base/plain.h"

static const struct {
    const char *text; /* %g: seconds */
    bool leave;
} reasons[KILL_REASONS] = {
    [KILL_USR1] = {"SIGUSR1", false},
    [KILL_CANCEL] = {"resque-lua job --kill", false},
    [KILL_TERM] = {"SIGTERM", true},
    [KILL_INT] = {"SIGINT", true},
    [KILL_LEFT_OVER] = {"SIGTERM (RESQUE_TERM_TIMEOUT is over)", true},
    [KILL_TIMEOUT] = {"its time limit of %g s", false},
    [KILL_CPU] = {"its CPU limit of %g s", false},
    [KILL_UNWATCHED] = {"want of a pidfd", false},
};

const char *kill_reason_say(char text[KILL_REASON_TEXT], enum kill_reason why, double seconds)
{
    if (!reasons[why].text)
        return NULL;
/* The formats are those of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    plain_format(text, KILL_REASON_TEXT, reasons[why].text, seconds);
#pragma GCC diagnostic pop
    return text;
}

bool kill_reason_is_leave(enum kill_reason why)
{
    return reasons[why].leave;
}
