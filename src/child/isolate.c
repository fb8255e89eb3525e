/* isolate.c - see isolate.h. */
#include "child/isolate.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "base/log.h"
#include "base/stopat.h"
#include "child/job_state.h"
#include "child/jobsignals.h"
#include "job/job.h"
#include "job/output.h"
#include "job/report.h"
#include "options/options.h"
#include "os/confine.h"
#include "os/descriptors.h"
#include "os/events.h"
#include "os/title.h"

static _Noreturn void give_back(int report_fd, const char *why)
{
    report_send_load(report_fd, why);
    _exit(EXIT_FAILED);
}

void isolate_begin(const struct child_context *context, pid_t worker, int report_fd)
{
    char why[CONFINE_WHY];
    STOP_AT("isolate");
    setpgid(0, 0);
    if (confine_enter(context->confine, why) < 0)
        give_back(report_fd, why);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != worker) /* the worker died before the line above */
        _exit(EXIT_FAILURE);
    output_attach(context->output);
    descriptors_let_go();
    jobsignals_begin();
    sigprocmask(SIG_SETMASK, &context->events->original_mask,
                NULL); /* as the user's shell had it */
    if (confine_calls(context->confine, why) < 0)
        give_back(report_fd, why);
}

static struct job_context job_context_of(const struct child_context *context, const struct job *job,
                                         int report_fd)
{
    struct stat pipe = {0};
    fstat(report_fd, &pipe);
    log_set_job(job->id);
    return (struct job_context){.options = context->options,
                                .confine = context->confine,
                                .prepared = context->prepared,
                                .pid = getpid(),
                                .report_fd = report_fd,
                                .report_inode = pipe.st_ino,
                                .started_token = context->started_token,
                                .raised = context->raised,
                                .spare_unknown = context->spare_unknown,
                                .worker_id = context->worker_id};
}

_Noreturn void isolate_run_job(const struct child_context *context, const struct job *job,
                               int report_fd)
{
    const struct job_context lua = job_context_of(context, job, report_fd);
    job_state_run(&lua, job);
}

_Noreturn void isolate_run_on_failure(const struct child_context *context, const struct job *job,
                                      int report_fd, const char *exception, const char *message)
{
    title_set("Running onFailure for %s [%s]", job->queue, job->class);
    const struct job_context lua = job_context_of(context, job, report_fd);
    job_state_on_failure(&lua, job, exception, message);
}
