/* blocked.c - see blocked.h. */
#include "worker/blocked.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"

#define FIRST_PAUSE 2.0     /* seconds; doubled each time */
#define LONGEST_PAUSE 300.0 /* seconds */

/* Whether a reason is news: it is the first, or not the one that came twice or more before. A text
 * that differs each time (it holds an address) is not. */
static bool is_news(const struct blocked *b, const char *why)
{
    return !b->why[0] || (strcmp(b->why, why) != 0 && b->repeated > 1);
}

static void begin(struct blocked *b, int64_t now)
{
    *b = (struct blocked){.since = now, .pause = FIRST_PAUSE};
    b->say_at = now + (int64_t)(FIRST_PAUSE * 1000);
}

static void keep(struct blocked *b, const char *why)
{
    b->repeated = strcmp(b->why, why) == 0 ? b->repeated + 1 : 1;
    memcpy(b->why, why, sizeof b->why);
    b->tries++;
}

static void say_again(struct blocked *b, int64_t now)
{
    log_warn("no job has started for %" PRId64 " s (%ld tries): %s", (now - b->since) / 1000,
             b->tries, b->why);
    b->pause = b->pause * 2 < LONGEST_PAUSE ? b->pause * 2 : LONGEST_PAUSE;
    b->say_at = now + (int64_t)(b->pause * 1000);
}

bool blocked_note(struct blocked *b, const char *why, int64_t now)
{
    char line[BLOCKED_WHY] = "";
    text_printable(line, sizeof line, why, strcspn(why, "\n"));
    bool news = is_news(b, line);
    if (news)
        begin(b, now);
    keep(b, line);
    if (now >= b->say_at)
        say_again(b, now);
    return news;
}

bool blocked_over(struct blocked *b, int64_t now)
{
    if (!b->why[0])
        return false;
    log_notice("jobs start again, after %" PRId64 " s (%ld tries) without one: %s",
               (now - b->since) / 1000, b->tries, b->why);
    *b = (struct blocked){0};
    return true;
}
