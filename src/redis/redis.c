/* redis.c - see redis.h. What hiredis 0.14 gets wrong and is worked around here: its blocking reads
 * swallow signals, a time-out poisons its context, reconnecting forgets AUTH and SELECT,
 * descriptors lack close-on-exec, its writing crashes without memory. */
#include "redis/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/plain.h"
#include "os/descriptors.h"
#include "redis/auth.h"

/* Once TERM, INT or QUIT came, a reply is awaited this many seconds at most. */
#define HURRY 1.0
/* How often what has come is read once a write failed; the other side sends no more. */
#define SALVAGE_READS 64

struct redis {
    const struct address *address;
    struct events *events;
    redisContext *context;   /* NULL: not connected */
    redisContext *inherited; /* of the parent, whose socket was closed here; never used */
    char *out;               /* commands that are not sent whole yet; NULL: none */
    size_t out_len, out_sent;
    unsigned to_drop;   /* replies on their way that nobody waits for */
    int broken;         /* errno of a write that failed; what had come by then is still read */
    const char *remark; /* a literal; NULL: none */
    enum redis_trouble trouble;
    char error[256];
    char where[256];
};

/* --- life of a connection --- */

struct redis *redis_new(const struct address *address, struct events *events)
{
    struct redis *r = memory_get(sizeof *r);
    r->address = address;
    r->events = events;
    address_show(address, r->where, sizeof r->where);
    return r;
}

static void drop_output(struct redis *r)
{
    free(r->out);
    r->out = NULL;
    r->out_len = r->out_sent = 0;
}

void redis_disconnect(struct redis *r)
{
    if (r->context) {
        descriptors_disown(r->context->fd);
        redisFree(r->context);
    }
    r->context = NULL;
    drop_output(r);
    r->to_drop = 0;
    r->broken = 0;
    events_unwatch(r->events, EVENTS_REDIS);
}

void redis_forget(struct redis *r)
{
    if (r->context)
        descriptors_close(r->context->fd);
    r->inherited = r->context; /* not freed: that would copy the pages it is in */
    r->context = NULL;
    r->to_drop = 0;
    r->broken = 0;
    events_unwatch(r->events, EVENTS_REDIS);
}

void redis_free(struct redis *r)
{
    if (!r)
        return;
    redis_disconnect(r);
    free(r);
}

bool redis_connected(const struct redis *r)
{
    return r->context != NULL;
}

int redis_fd(const struct redis *r)
{
    return r->context ? r->context->fd : -1;
}

const char *redis_error(const struct redis *r)
{
    return r->error;
}

enum redis_trouble redis_trouble(const struct redis *r)
{
    return r->trouble;
}

const char *redis_where(const struct redis *r)
{
    return r->where;
}

const char *redis_remark(const struct redis *r)
{
    return r->remark;
}

/* Notes why and closes. Always -1, so that callers can `return fail(...)`. */
static int fail(struct redis *r, enum redis_trouble trouble, const char *why)
{
    r->trouble = trouble;
    snprintf(r->error, sizeof r->error, "%s", why);
    redis_disconnect(r);
    return -1;
}

/* The same with hiredis's reason; `trouble` is its kind unless what came is not Redis's. */
static int fail_hiredis(struct redis *r, enum redis_trouble trouble)
{
    char why[256];
    if (r->context->err == REDIS_ERR_PROTOCOL)
        trouble = REDIS_NOT_REDIS;
    const char *text = r->context->errstr[0] ? r->context->errstr : "connection failed";
    if (trouble == REDIS_CUT && r->context->err == REDIS_ERR_IO)
        text = plain_error(errno); /* hiredis speaks the language that a script has set */
    snprintf(why, sizeof why, "%s%s", trouble == REDIS_NOT_REDIS ? "this is not Redis: " : "",
             text);
    return fail(r, trouble, why);
}

/* Waits for the socket. A caller's deadline is cut short once TERM or INT came. */
static int wait_socket(struct redis *r, short want, int64_t deadline)
{
    struct events *ev = r->events;
    events_watch(ev, EVENTS_REDIS, r->context->fd, want);
    bool hurried = false;
    for (;;) {
        bool leave = events_pending(ev, SIGTERM) || events_pending(ev, SIGINT) ||
                     events_pending(ev, SIGQUIT);
        if (!hurried && leave) {
            int64_t soon = clock_after(HURRY);
            deadline = soon < deadline ? soon : deadline;
            hurried = true;
        }
        unsigned seen = events_wait(ev, EVENTS_BIT(EVENTS_REDIS), deadline);
        if (seen & EVENTS_BIT(EVENTS_REDIS))
            return 0;
        if (!seen)
            return fail(r, REDIS_UNREACHABLE, "timed out");
    }
}

static bool has_arrivals(const struct redis *r)
{
    struct pollfd ready = {.fd = r->context->fd, .events = POLLIN};
    return poll(&ready, 1, 0) > 0;
}

/* After a write that failed: whoever closed the connection may have said why. Takes in what has
 * come, without waiting for more. */
static void salvage(struct redis *r, int error)
{
    r->broken = error;
    drop_output(r);
    for (int left = SALVAGE_READS; left && has_arrivals(r); left--)
        if (redisBufferRead(r->context) != REDIS_OK)
            return;
}

/* Sends what the socket takes now. */
static void send_some(struct redis *r)
{
    while (r->out_sent < r->out_len) {
        ssize_t n = write(r->context->fd, r->out + r->out_sent, r->out_len - r->out_sent);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0 && errno != EINTR) {
            salvage(r, errno);
            return;
        }
        r->out_sent += n > 0 ? (size_t)n : 0;
    }
    drop_output(r);
}

static int flush(struct redis *r, int64_t deadline)
{
    if (r->out && r->broken)
        return fail(r, REDIS_CUT, plain_error(r->broken));
    while (r->out) {
        send_some(r);
        if (r->out && wait_socket(r, POLLOUT, deadline) < 0)
            return -1;
    }
    return 0;
}

/* Reads what the socket has. */
static int receive_some(struct redis *r)
{
    return redisBufferRead(r->context) == REDIS_OK ? 0 : fail_hiredis(r, REDIS_CUT);
}

/* The next whole reply in what was read. NULL: none, or disconnected. */
static redisReply *received_reply(struct redis *r)
{
    void *reply = NULL;
    if (redisGetReplyFromReader(r->context, &reply) != REDIS_OK) {
        fail_hiredis(r, REDIS_CUT);
    } else if (reply && redis_reply_is_last(reply)) {
        fail(r, redis_reply_trouble(reply), redis_reply_text(reply, NULL));
        freeReplyObject(reply);
        reply = NULL;
    }
    return reply;
}

/* The next reply in arrival order, waited for. NULL: disconnected. */
static redisReply *next_reply(struct redis *r, int64_t deadline)
{
    for (;;) {
        redisReply *reply = received_reply(r);
        if (reply || !r->context)
            return reply;
        if (r->broken)
            fail(r, REDIS_CUT, plain_error(r->broken));
        else if (wait_socket(r, POLLIN, deadline) == 0 && receive_some(r) == 0)
            continue;
        return NULL;
    }
}

/* --- connecting --- */

/* Small commands go at once. The kernel asks a silent peer after half a minute, and again: one that
 * only listens would never notice that its connection is half-open, and a router would forget it.
 */
static void tune(int fd)
{
    static const struct {
        int level, name, value;
    } rows[] = {{IPPROTO_TCP, TCP_NODELAY, 1},
                {SOL_SOCKET, SO_KEEPALIVE, 1},
                {IPPROTO_TCP, TCP_KEEPIDLE, 30},
                {IPPROTO_TCP, TCP_KEEPINTVL, 10},
                {IPPROTO_TCP, TCP_KEEPCNT, 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        setsockopt(fd, rows[i].level, rows[i].name, &rows[i].value, sizeof rows[i].value);
}

static int finish_connect(struct redis *r, int64_t deadline)
{
    if (wait_socket(r, POLLOUT, deadline) < 0)
        return -1;
    int fd = r->context->fd, error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error)
        return fail(r, REDIS_UNREACHABLE, strerror(error ? error : errno));
    if (!r->address->path)
        tune(fd);
    return 0;
}

static int open_socket(struct redis *r)
{
    const struct address *a = r->address;
    r->context =
        a->path ? redisConnectUnixNonBlock(a->path) : redisConnectNonBlock(a->host, a->port);
    if (!r->context)
        return fail(r, REDIS_UNREACHABLE, "out of memory");
    if (r->context->err)
        return fail_hiredis(r, REDIS_UNREACHABLE);
    descriptors_own(r->context->fd);
    if (fcntl(r->context->fd, F_SETFD, FD_CLOEXEC) < 0)
        return fail(r, REDIS_UNREACHABLE, strerror(errno));
    return 0;
}

/* Judges the answer to one step of the handshake and frees it. 0, or -1: disconnected. */
static int accept_reply(struct redis *r, struct redis_reply *reply)
{
    if (!reply)
        return -1;
    int result = 0;
    if (redis_reply_type(reply) == REDIS_ERROR)
        result = fail(r, redis_reply_trouble(reply), redis_reply_text(reply, NULL));
    redis_reply_free(reply);
    return result;
}

static int authenticate(struct redis *r, int64_t deadline)
{
    struct redis_auth said;
    int result = redis_auth(r, r->address, deadline, &said);
    r->remark = said.remark;
    if (result < 0 && r->context)
        fail(r, said.denied ? REDIS_DENIED : REDIS_REFUSED,
             said.error[0] ? said.error : "AUTH was refused");
    return result;
}

int redis_connect(struct redis *r, int64_t deadline)
{
    redis_disconnect(r);
    if (r->address->timeout > 0) {
        int64_t own = clock_after(r->address->timeout);
        deadline = own < deadline ? own : deadline;
    }
    char db[16];
    snprintf(db, sizeof db, "%d", r->address->db > 0 ? r->address->db : 0);
    if (open_socket(r) < 0 || finish_connect(r, deadline) < 0 || authenticate(r, deadline) < 0 ||
        accept_reply(r, redis_command(r, deadline, "SELECT", db)) < 0)
        return -1;
    r->trouble = REDIS_FINE;
    r->error[0] = '\0';
    return 0;
}

/* --- commands --- */

int redis_append(struct redis *r, const struct redis_args *args)
{
    if (!r->context) /* the reason it went away stays in r->error */
        return -1;
    char *command;
    int len = redisFormatCommandArgv(&command, (int)args->count, args->text, args->len);
    if (len < 0)
        return fail(r, REDIS_UNREACHABLE, "out of memory");
    if (r->out) {
        r->out = memory_grow(r->out, r->out_len + (size_t)len);
        memcpy(r->out + r->out_len, command, (size_t)len);
        free(command);
    } else {
        r->out = command;
    }
    r->out_len += (size_t)len;
    return 0;
}

struct redis_reply *redis_read(struct redis *r, int64_t deadline)
{
    if (!r->context || flush(r, deadline) < 0)
        return NULL;
    for (; r->to_drop; r->to_drop--) {
        redisReply *dropped = next_reply(r, deadline);
        if (!dropped)
            return NULL;
        freeReplyObject(dropped);
    }
    return (struct redis_reply *)next_reply(r, deadline);
}

struct redis_reply *redis_call(struct redis *r, const struct redis_args *args, int64_t deadline)
{
    return redis_append(r, args) < 0 ? NULL : redis_read(r, deadline);
}

struct redis_reply *redis_words(struct redis *r, int64_t deadline, const char *const words[])
{
    struct redis_args args = {0};
    for (; *words; words++)
        redis_args_add(&args, *words);
    struct redis_reply *reply = redis_call(r, &args, deadline);
    redis_args_clear(&args);
    return reply;
}

/* Takes what has come of the replies that nobody waits for; notices that the server has closed. */
static int drop_arrived(struct redis *r)
{
    while (r->context && has_arrivals(r) && receive_some(r) == 0)
        for (redisReply *reply; r->to_drop && (reply = received_reply(r)); r->to_drop--)
            freeReplyObject(reply);
    return r->context ? 0 : -1;
}

bool redis_usable(struct redis *r)
{
    if (r->context && has_arrivals(r) && (!r->to_drop || drop_arrived(r) < 0))
        redis_disconnect(r);
    return r->context != NULL;
}

int redis_send(struct redis *r, const struct redis_args *args)
{
    if (!r->context || drop_arrived(r) < 0 || redis_append(r, args) < 0)
        return -1;
    send_some(r);
    r->to_drop++;
    if (!r->broken)
        return 0;
    for (redisReply *reply; (reply = next_reply(r, 0));) /* until it has failed */
        freeReplyObject(reply);
    return -1;
}

struct redis_reply *redis_poll(struct redis *r)
{
    if (!r->context)
        return NULL;
    redisReply *reply = received_reply(r);
    if (!reply && r->context && has_arrivals(r) && receive_some(r) == 0)
        reply = received_reply(r);
    return (struct redis_reply *)reply;
}
