/* crew.c - see crew.h. */
#include "manager/crew.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "os/children.h"
#include "os/signals.h"

#define ORPHAN_ROUNDS 50 /* the orphans' own children are handed to us in turn */
#define LISTED_MAX 1100  /* children looked at in a round: the largest COUNT, and some */

int crew_open(struct crew *c, int count)
{
    size_t size = sizeof *c->board + (size_t)count * sizeof c->board->slot[0];
    struct board *board =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return -1;
    *c = (struct crew){.count = count, .board = board, .board_size = size};
    c->members = memory_get((size_t)count * sizeof *c->members);
    for (int i = 0; i < count; i++)
        c->members[i] = (struct member){.wakeup_fd = -1, .slot = &board->slot[i]};
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    c->stranger_count = children_list(c->strangers, CREW_STRANGERS);
    return 0;
}

void crew_close(struct crew *c)
{
    free(c->members);
    if (c->board)
        munmap(c->board, c->board_size);
    *c = (struct crew){0};
}

/* --- who is who --- */

int crew_running(const struct crew *c)
{
    int running = 0;
    for (int i = 0; i < c->count; i++)
        running += c->members[i].pid > 0;
    return running;
}

static int state_of(const struct member *member)
{
    return member->pid ? atomic_load(&member->slot->state) : BOARD_STARTING;
}

static bool may_be_called(int state)
{
    return state == BOARD_LOOKING || state == BOARD_IDLE;
}

bool crew_any_idle(const struct crew *c)
{
    for (int i = 0; i < c->count; i++)
        if (may_be_called(state_of(&c->members[i])))
            return true;
    return false;
}

bool crew_all_started(const struct crew *c)
{
    for (int i = 0; i < c->count; i++) {
        const struct member *member = &c->members[i];
        bool through = !member->pid && member->restart_at == CLOCK_NEVER;
        if (!through && state_of(member) == BOARD_STARTING)
            return false;
    }
    return true;
}

int64_t crew_restart_at(const struct crew *c)
{
    int64_t soonest = CLOCK_NEVER;
    for (int i = 0; i < c->count; i++)
        if (!c->members[i].pid)
            soonest = clock_sooner(soonest, c->members[i].restart_at);
    return soonest;
}

static struct member *find_member(const struct crew *c, pid_t pid)
{
    for (int i = 0; i < c->count; i++)
        if (c->members[i].pid == pid)
            return &c->members[i];
    return NULL;
}

static bool is_stranger(const struct crew *c, pid_t pid)
{
    for (int i = 0; i < c->stranger_count; i++)
        if (c->strangers[i] == pid)
            return true;
    return false;
}

struct member *crew_reaped(struct crew *c, pid_t pid)
{
    for (int i = 0; i < c->stranger_count; i++)
        if (c->strangers[i] == pid)
            c->strangers[i] = 0; /* its number may be an orphan's one day */
    return find_member(c, pid);
}

/* --- what is done to them --- */

void crew_signal(const struct crew *c, int signo)
{
    log_debug("passing %s on to %d workers", signals_name(signo), crew_running(c));
    for (int i = 0; i < c->count; i++)
        if (c->members[i].pid)
            kill(c->members[i].pid, signo);
}

void crew_pause(struct crew *c, bool pause)
{
    c->paused = pause;
    crew_signal(c, pause ? SIGUSR2 : SIGCONT);
}

static void insist(const struct crew *c, int signo)
{
    for (int i = 0; i < c->count; i++)
        if (c->members[i].pid) {
            atomic_store(&c->members[i].slot->insists, signo);
            kill(c->members[i].pid, EVENTS_BOARD);
        }
}

void crew_stop(struct crew *c, int signo)
{
    c->stopping = true;
    if (c->insist.counts && signo != SIGQUIT)
        insist(c, signo);
    insist_begin(&c->insist);
    crew_signal(c, signo);
}

void crew_take_stops(struct crew *c, struct events *ev)
{
    static const int stops[] = {SIGTERM, SIGINT, SIGQUIT};
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
        if (events_take(ev, stops[i]))
            crew_stop(c, stops[i]);
    insist_look(&c->insist);
}

bool crew_cancel(const struct crew *c, const char *worker_id, const char *token)
{
    for (int i = 0; i < c->count; i++) {
        const struct member *member = &c->members[i];
        struct board_slot *slot = member->slot;
        if (!member->pid || strncmp(slot->worker_id, worker_id, sizeof slot->worker_id) != 0)
            continue;
        bool news = strncmp(slot->cancel, token, sizeof slot->cancel) != 0;
        snprintf(slot->cancel, sizeof slot->cancel, "%s", token);
        kill(member->pid, EVENTS_BOARD);
        return news;
    }
    return false;
}

void crew_wake(struct crew *c, long jobs)
{
    for (int i = 0; jobs > 0 && i < c->count; i++) {
        struct member *member = &c->members[i];
        int state = state_of(member);
        if (!may_be_called(state) || member->wakeup_fd < 0 || write(member->wakeup_fd, "", 1) != 1)
            continue;
        if (state == BOARD_IDLE) {
            atomic_compare_exchange_strong(&member->slot->state, &state, BOARD_LOOKING);
            jobs--;
        }
    }
}

static bool end_some_orphans(const struct crew *c)
{
    pid_t list[LISTED_MAX];
    int count = children_list(list, LISTED_MAX);
    bool any = false;
    for (int i = 0; i < count; i++)
        if (!find_member(c, list[i]) && !is_stranger(c, list[i])) {
            kill(list[i], SIGKILL);
            waitpid(list[i], NULL, 0);
            any = true;
        }
    return any;
}

void crew_end_orphans(const struct crew *c)
{
    for (int round = 0; round < ORPHAN_ROUNDS && end_some_orphans(c); round++)
        ;
}
