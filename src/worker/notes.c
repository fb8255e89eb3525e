/* notes.c - see notes.h. */
#include "worker/notes.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "child/include_check.h"
#include "job/outcome.h"
#include "redis/answers.h"
#include "redis/scripts.h"
#include "worker/registry.h"

bool notes_look(struct notes *n, bool again)
{
    bool woken = again && resting_forget(&n->resting);
    woken = resting_look(&n->resting, clock_ms()) || woken;
    n->due = n->due || woken;
    return woken;
}

void notes_held_up(struct notes *n, struct outcome *outcome)
{
    if (outcome->kind != OUTCOME_PUT_BACK)
        return;
    outcome->quiet = !blocked_note(&n->blocked, outcome->error, clock_ms());
    n->due = true;
}

bool notes_blocked(const struct notes *n)
{
    return n->blocked.why[0];
}

void notes_try(struct notes *n, const struct include_check *check)
{
    char why[INCLUDE_CHECK_WHY];
    if (!notes_blocked(n))
        return;
    if (include_check_run(check, why, sizeof why) == 0)
        notes_started(n);
    else if (blocked_note(&n->blocked, why, clock_ms()))
        log_warn("APP_INCLUDE cannot be loaded: %s", n->blocked.why);
    n->due = true;
}

void notes_started(struct notes *n)
{
    if (blocked_over(&n->blocked, clock_ms()))
        n->due = true;
}

void notes_judge(struct notes *n, const struct job *job, const struct death *death,
                 struct outcome *outcome)
{
    if (resting_judge(&n->resting, job, death, outcome, clock_ms()))
        n->due = true;
}

void notes_renew(struct notes *n)
{
    n->due = notes_blocked(n) || resting_any(&n->resting);
}

/* The names of the queues' notes, which live until the call; the caller's to free. */
static char **add_queues(const struct resting *r, struct redis_args *args)
{
    char **names = memory_get((r->count + 1) * sizeof *names);
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++) {
        if (!r->queues[i].rests)
            continue;
        names[count] = memory_join("resting:", r->queues[i].name, "");
        redis_args_add(args, names[count++]);
        redis_args_add(args, r->queues[i].why);
    }
    return names;
}

/* Calls note.lua. Returns its answer; after a refusal nothing is due until there is news. */
static enum answer call(struct notes *n, struct registry *registry)
{
    struct redis_args *args = scripts_begin(registry->scripts, registry->id);
    redis_args_add(args, registry->ledger->nonce);
    if (notes_blocked(n)) {
        redis_args_add(args, "blocked");
        redis_args_add(args, n->blocked.why);
    }
    char **names = add_queues(&n->resting, args);
    struct redis_reply *reply = scripts_call(registry->scripts, SCRIPT_NOTE);
    enum answer answer = reply ? answers_read(reply, 0, NULL) : ANSWER_UNKNOWN;
    n->due = answer != ANSWER_OK && answer != ANSWER_ERR;
    if (reply && answer != ANSWER_OK)
        scripts_fail_reply(registry->scripts, reply);
    else
        redis_reply_free(reply);
    for (char **name = names; *name; name++)
        free(*name);
    free(names);
    return answer;
}

/* Warns once of rights that older releases did not need: the worker goes on without them. */
static void say_refused(struct notes *n, const struct registry *registry)
{
    if (!n->refused)
        log_warn("this worker's Redis user may not tell what keeps it from jobs: %s (hint: "
                 "resque-lua(1) lists, under REDIS USER, what it must be allowed to do)",
                 registry->scripts->error);
    n->refused = true;
}

void notes_tell(struct notes *n, struct registry *registry)
{
    if (!n->due || !redis_connected(registry->scripts->redis))
        return;
    if (call(n, registry) == ANSWER_ERR)
        say_refused(n, registry);
    if (n->due)
        log_debug("Redis does not know what keeps this worker from jobs: %s",
                  registry->scripts->error);
}
