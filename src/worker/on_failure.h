/* on_failure.h - runs the hook onFailure of a job whose process has died, in a process of its own.
 */
#ifndef ON_FAILURE_H
#define ON_FAILURE_H

struct child_context;
struct job;
struct outcome;
struct session;

/* Runs onFailure to its end, for 5 s at most, or until TERM or INT comes. The stop that ended the
 * job does not end the hook, although it may come again: a supervisor sends one stop to every
 * process.
 */
void on_failure_run(struct session *session, const struct child_context *context,
                    const struct job *job, const struct outcome *outcome);

#endif
