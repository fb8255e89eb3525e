/* death.c - see death.h. */
#include "worker/death.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "job/board.h"
#include "job/job.h"
#include "job/raised.h"
#include "worker/child.h"

/* Whether the job had started, by the board, where the pipe broke before it said so. */
static bool started_by_board(const struct report *report, const struct job *job,
                             const struct board_slot *slot)
{
    return report->broken && board_has_started(slot, job->token);
}

/* A limit whose error was raised longer before the end than a job has for tidying up had no part in
 * the end. */
static enum limit raised_lately(const struct child *child, const struct board_slot *slot,
                                const struct options *options)
{
    int64_t ended = child->started_at + child->usage.wall_ms;
    int64_t from = ended - (int64_t)(options->stop.term_timeout * 1000);
    return raised_between(&slot->raised, from > child->started_at ? from : child->started_at,
                          ended);
}

/* Seconds of CPU time; 0 or infinite: no limit. */
static double cpu_limit(const struct report *report, const struct options *options)
{
    return report->policy.cpu > 0 ? report->policy.cpu : options->limits.cpu;
}

/* Whether the kernel ended the process for its CPU limit. SIGXCPU may come from anybody, and the
 * kernel counts ticks for the limit: half of one may have been somebody else's. */
static bool used_up_cpu(const struct death *death, double seconds)
{
    return WIFSIGNALED(death->wait_status) && WTERMSIG(death->wait_status) == SIGXCPU &&
           seconds > 0 && (double)death->usage.cpu_ms * 2 >= ceil(seconds) * 1000;
}

/* Finds the kill's reason. The CPU limit beats the worker's, unless that meant this very job. */
static void find_reason(struct death *death, const struct child *child,
                        const struct options *options)
{
    double seconds = cpu_limit(&child->report, options);
    death->reason = child->ladder.reason;
    death->seconds = child->deadline.seconds;
    if (death->reason == KILL_TIMEOUT || death->reason == KILL_CANCEL ||
        !used_up_cpu(death, seconds))
        return;
    death->reason = KILL_CPU;
    death->seconds = ceil(seconds);
}

void death_account(struct death *death, const struct child *child, const struct job *job,
                   const struct board_slot *slot, const struct options *options)
{
    const struct report *report = &child->report;
    *death = (struct death){.report = report,
                            .started = report->started,
                            .policy = report->policy,
                            .wait_status = child->wait_status,
                            .usage = child->usage,
                            .raised = raised_lately(child, slot, options)};
    find_reason(death, child, options);
    if (!report->started && started_by_board(report, job, slot)) {
        death->started = true;
        death->policy.requeue = -1; /* the worker's own counts */
    }
}

bool death_was_early(const struct death *death)
{
    bool told = death->report->kind != REPORT_NONE && death->report->kind != REPORT_EXIT;
    bool wanted = death->reason != KILL_NONE && death->reason != KILL_TIMEOUT;
    return !death->started && !told && !wanted;
}
