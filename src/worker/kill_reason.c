/* kill_reason.c - see kill_reason.h. */
#include "worker/kill_reason.h"

#include <stddef.h>

#include "base/plain.h"
#include "job/limit.h"

static const struct {
    const char *text;
    enum limit limit; /* has its text in limit.c */
    bool leave;
} reasons[KILL_REASONS] = {
    [KILL_USR1] = {.text = "SIGUSR1"},
    [KILL_CANCEL] = {.text = "resque-lua job --kill"},
    [KILL_TERM] = {.text = "SIGTERM", .leave = true},
    [KILL_INT] = {.text = "SIGINT", .leave = true},
    [KILL_LEFT_OVER] = {.text = "SIGTERM (RESQUE_TERM_TIMEOUT is over)", .leave = true},
    [KILL_TIMEOUT] = {.limit = LIMIT_TIMEOUT},
    [KILL_CPU] = {.limit = LIMIT_CPU},
    [KILL_UNWATCHED] = {.text = "want of a pidfd"},
};

_Static_assert(KILL_REASON_TEXT >= LIMIT_LABEL, "the text of a limit fits");

const char *kill_reason_say(char text[KILL_REASON_TEXT], enum kill_reason why, double seconds)
{
    if (why == KILL_NONE)
        return NULL;
    if (reasons[why].limit)
        limit_label(text, reasons[why].limit, seconds);
    else
        plain_format(text, KILL_REASON_TEXT, "%s", reasons[why].text);
    return text;
}

bool kill_reason_is_leave(enum kill_reason why)
{
    return reasons[why].leave;
}
