/* resting.c - see resting.h. */
#include "worker/resting.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "job/job.h"
#include "job/outcome.h"
#include "options/include_list.h"
#include "worker/death.h"

#define WHY 300 /* bytes of the reason that is kept */

/* --- files --- */

/* The folder itself, which changes when a file comes or goes, and the Lua files in it. */
static void watch_folder(struct watched *files, const char *path)
{
    DIR *dir = opendir(path);
    watched_add(files, path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || strcmp(dot, ".lua") != 0)
            continue;
        char *file = memory_join(path, "/", entry->d_name);
        watched_add(files, file);
        free(file);
    }
    if (dir)
        closedir(dir);
}

static void watch_include(struct watched *files, const char *name, size_t len)
{
    char *path = memory_copy(name, len), *slash = strrchr(path, '/');
    watched_add(files, path);
    if (slash)
        slash[1] = '\0';
    char *jobs = memory_join(slash ? path : "./", "jobs", "");
    watch_folder(files, jobs);
    free(jobs);
    free(path);
}

static void watch_files(struct resting *r)
{
    const char *list = r->include ? r->include : "", *name;
    size_t len;
    watched_clear(&r->files);
    while (include_list_next(&list, &name, &len))
        watch_include(&r->files, name, len);
    if (!r->include)
        watch_folder(&r->files, "./jobs");
}

/* --- queues --- */

static struct resting_queue *find(const struct resting *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->queues[i].name, name) == 0)
            return &r->queues[i];
    return NULL;
}

static void remove_queue(struct resting *r, struct resting_queue *q)
{
    free(q->name);
    free(q->why);
    *q = r->queues[--r->count];
}

static struct resting_queue *add_queue(struct resting *r, const char *name)
{
    r->queues = memory_grow(r->queues, (r->count + 1) * sizeof *r->queues);
    struct resting_queue *q = &r->queues[r->count++];
    *q = (struct resting_queue){.name = memory_copy(name, strlen(name))};
    return q;
}

static void forget_queues(struct resting *r)
{
    while (r->count)
        remove_queue(r, &r->queues[0]);
}

bool resting_has(const struct resting *r, const char *queue)
{
    const struct resting_queue *q = r->count ? find(r, queue) : NULL;
    return q && q->rests;
}

bool resting_any(const struct resting *r)
{
    return r->until != CLOCK_NEVER;
}

/* --- from rest to rest --- */

void resting_open(struct resting *r, const char *include, int64_t now)
{
    *r = (struct resting){
        .include = include, .look_at = now + (int64_t)(RESTING_LOOK * 1000), .until = CLOCK_NEVER};
    watch_files(r);
}

void resting_close(struct resting *r)
{
    forget_queues(r);
    free(r->queues);
    watched_clear(&r->files);
}

static void wake(struct resting *r, const char *why)
{
    if (resting_any(r))
        log_notice("%s: looking at every queue again", why);
    for (size_t i = 0; i < r->count; i++) {
        r->queues[i].rests = false;
        r->queues[i].row = 0;
    }
    r->row = 0;
    r->until = CLOCK_NEVER;
}

/* Forgets all that was known of queues and classes. Returns whether a queue was left alone. */
static bool begin_anew(struct resting *r, const char *why)
{
    bool rested = resting_any(r);
    wake(r, why);
    forget_queues(r);
    r->found = false;
    watch_files(r);
    return rested;
}

bool resting_forget(struct resting *r)
{
    return begin_anew(r, "HUP");
}

static bool look_at_files(struct resting *r, int64_t now)
{
    r->look_at = now + (int64_t)(RESTING_LOOK * 1000);
    return watched_changed(&r->files);
}

bool resting_look(struct resting *r, int64_t now)
{
    if (now >= r->look_at && look_at_files(r, now))
        return begin_anew(r, "a Lua file has changed");
    if (now < r->until)
        return false;
    wake(r, "the rest is over");
    return true;
}

int64_t resting_deadline(const struct resting *r)
{
    return resting_any(r) ? clock_sooner(r->look_at, r->until) : CLOCK_NEVER;
}

static void rest(struct resting *r, const char *name, const char *error, int64_t now)
{
    struct resting_queue *q = find(r, name);
    char why[WHY];
    if (!q)
        q = add_queue(r, name);
    if (r->until == CLOCK_NEVER)
        r->until = now + (int64_t)(RESTING_SECONDS * 1000);
    q->rests = true;
    free(q->why);
    text_printable(why, sizeof why, error, strcspn(error, "\n"));
    q->why = memory_copy(why, strlen(why));
    log_warn("leaving queue %s alone until a file of APP_INCLUDE or of jobs changes, HUP comes, or "
             "%d s have passed: %d jobs in a row had no usable class, nor has the next: %s",
             name, (int)RESTING_SECONDS, RESTING_AFTER, why);
}

/* --- jobs --- */

bool resting_spares(const struct resting *r, const char *queue)
{
    if (!r->found)
        return r->row >= RESTING_AFTER;
    const struct resting_queue *q = r->count ? find(r, queue) : NULL;
    return q && q->row >= RESTING_AFTER;
}

static void note_found(struct resting *r, const char *queue)
{
    struct resting_queue *q = r->count ? find(r, queue) : NULL;
    if (q)
        remove_queue(r, q);
    r->found = true;
    r->row = 0;
}

static void note_missing(struct resting *r, const char *queue)
{
    struct resting_queue *q = find(r, queue);
    if (q)
        q->row++;
    r->row++;
}

static void put_back(struct outcome *outcome)
{
    struct outcome failed = *outcome;
    outcome_put_back(outcome, failed.error);
    outcome->usage = failed.usage;
    outcome_clear(&failed);
}

/* Judges a job without a class. `changed`: the files are not as they were at the last look. */
static bool judge_missing(struct resting *r, const struct job *job, struct outcome *outcome,
                          bool spared, bool changed, int64_t now)
{
    bool woken = changed && begin_anew(r, "a Lua file has changed");
    if (!spared) {
        note_missing(r, job->queue);
        return woken;
    }
    if (!changed)
        rest(r, job->queue, outcome->error, now);
    put_back(outcome);
    return true;
}

bool resting_judge(struct resting *r, const struct job *job, const struct death *death,
                   struct outcome *outcome, int64_t now)
{
    bool unknown = death->report->unknown;
    if (death->started && !unknown)
        note_found(r, job->queue);
    if (!death->started || !unknown)
        return false;
    bool told = death->report->kind == REPORT_FAILED && death->reason != KILL_CANCEL;
    bool spared = told && resting_spares(r, job->queue);
    return judge_missing(r, job, outcome, spared, look_at_files(r, now), now);
}
