/* crew.h - the processes a manager looks after: finds one by its pid, tells all of them, calls idle
 * ones, ends what a dead one left behind. member.h starts one and judges its end. */
#ifndef CREW_H
#define CREW_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "job/board.h"
#include "manager/member.h"
#include "os/events.h"
#include "os/insist.h"

#define CREW_STRANGERS 64

struct crew {
    struct insist insist;  /* of stops that the manager was told */
    bool stopping, paused; /* what the user wants of all, present and future */
    int exit_code;         /* the program's, as its workers' ends decide it */
    struct member *members;
    int count;
    struct board *board; /* shared with all of them */
    size_t board_size;
    /* Children that this process had before it became this program: `helper & exec resque-lua`. */
    pid_t strangers[CREW_STRANGERS];
    int stranger_count;
};

/* Makes `count` members, none running, each due at once; what they leave behind comes to this
 * process. To be called before it has children of its own. 0 or -1 with errno. */
int crew_open(struct crew *c, int count);
void crew_close(struct crew *c);

int crew_running(const struct crew *c);
bool crew_any_idle(const struct crew *c);

/* Whether each one is past its start, or through with its work. */
bool crew_all_started(const struct crew *c);

/* When the next one that is not running is due; CLOCK_NEVER. */
int64_t crew_restart_at(const struct crew *c);

/* The member of a pid that was just reaped; NULL: this was a stranger or an orphan, and is
 * forgotten. */
struct member *crew_reaped(struct crew *c, pid_t pid);

void crew_signal(const struct crew *c, int signo);

/* Pauses all, also those that are started later, or lets them go on. */
void crew_pause(struct crew *c, bool pause);

/* Passes a stop on: QUIT, TERM or INT; no member is started any more. A TERM or INT that insists is
 * on the board, too: a worker that was told before, directly, does not count the passed-on signal
 * as its second. */
void crew_stop(struct crew *c, int signo);

/* Passes on the stops that came. */
void crew_take_stops(struct crew *c, struct events *ev);

/* Tells the member of that id that the job with this token is to be ended; EVENTS_BOARD makes it
 * look. False: none of ours has that id, or it was told the same before. */
bool crew_cancel(const struct crew *c, const char *worker_id, const char *token);

/* Calls idle members, one for each job; a member that is just asking Redis may have asked too
 * early, and is called too. */
void crew_wake(struct crew *c, long jobs);

/* Ends what was handed to us because its parent, a member or a part of its job, has ended. */
void crew_end_orphans(const struct crew *c);

#endif
