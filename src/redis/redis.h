/* redis.h - one connection to Redis, commands being built (args.c), replies (reply.c), and what
 * errors mean (errors.c). The only files that know hiredis.
 *
 * Nothing waits inside hiredis, which ignores signals while it does: commands are appended and the
 * reply is awaited in events_wait. A connection belongs to the process that opened it. */
#ifndef REDIS_H
#define REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/events.h"
#include "redis/address.h"

struct redis;       /* opaque */
struct redis_reply; /* opaque; freed by redis_reply_free */

enum redis_trouble {
    REDIS_FINE,
    REDIS_UNREACHABLE, /* nobody listens, or answers in time: connect again */
    REDIS_CUT,         /* the connection was closed without a word: connect again */
    REDIS_REFUSED,     /* the server said why not, and closes: busy, full, a text too long */
    REDIS_DENIED,      /* NOAUTH, WRONGPASS, NOPERM: an operator must act */
    REDIS_NOT_REDIS,   /* what answered does not speak RESP */
};

enum redis_type { REDIS_NIL, REDIS_STRING, REDIS_STATUS, REDIS_INTEGER, REDIS_ARRAY, REDIS_ERROR };

/* A command being built. Start with {0}; the pieces are borrowed, not copied, and must live until
 * it was sent. redis_args_reset keeps the room for the next command, redis_args_clear gives it
 * back. */
struct redis_args {
    size_t count, room;
    const char **text;
    size_t *len;
};
void redis_args_add(struct redis_args *args, const char *text); /* NUL-terminated */
void redis_args_add_bytes(struct redis_args *args, const char *bytes, size_t len);
void redis_args_reset(struct redis_args *args);
void redis_args_clear(struct redis_args *args);

/* Both arguments are borrowed for the connection's life. Never fails (out of memory ends the
 * program). */
struct redis *redis_new(const struct address *address, struct events *events);
void redis_free(struct redis *r); /* closes without a word to the server; NULL is fine */

/* Connects, AUTHs, SELECTs: the one routine for first connect and reconnect. 0, or -1 and
 * redis_error. */
int redis_connect(struct redis *r, int64_t deadline);
bool redis_connected(const struct redis *r);

/* Whether there is a connection that neither the server nor a proxy has closed while nothing was
 * under way; one that was closed is given up, without a failure. To be called before an exchange.
 * Never waits. */
bool redis_usable(struct redis *r);

/* Closes the socket without a word to the server. */
void redis_disconnect(struct redis *r);

/* In a forked child: closes the inherited descriptor, without a word to the server. Frees no
 * memory.
 */
void redis_forget(struct redis *r);

/* Sends one command and waits for its reply. NULL: the connection is gone (disconnected) and
 * redis_error says why; if the server did (REDIS_REFUSED), this command was not executed. An error
 * reply of the server is a reply of REDIS_ERROR. */
struct redis_reply *redis_call(struct redis *r, const struct redis_args *args, int64_t deadline);
/* The same for a few plain words: redis_command(r, deadline, "GET", key). */
#define redis_command(r, deadline, ...)                                                            \
    redis_words(r, deadline, (const char *const[]){__VA_ARGS__, NULL})
struct redis_reply *redis_words(struct redis *r, int64_t deadline, const char *const words[]);

/* Pipelining: queue any number of commands, then read as many replies. */
int redis_append(struct redis *r, const struct redis_args *args);
struct redis_reply *redis_read(struct redis *r, int64_t deadline);

/* Sends without waiting; the reply is dropped when it comes. 0 or -1 (disconnected). */
int redis_send(struct redis *r, const struct redis_args *args);

/* A reply that arrived by itself on a subscribed connection, if there is one (never waits). NULL:
 * none, or the connection went away (then redis_connected is false). */
struct redis_reply *redis_poll(struct redis *r);

int redis_fd(const struct redis *r);            /* -1 when not connected */
const char *redis_error(const struct redis *r); /* text of the last failure; never a password */
enum redis_trouble redis_trouble(const struct redis *r); /* its kind */
const char *redis_where(const struct redis *r);          /* the address as people may see it */

/* A remark, to be logged once, on how the server took user and password: the end of a sentence that
 * begins with its address. NULL: none. */
const char *redis_remark(const struct redis *r);

/* A hint what to do about an error reply or redis_error, which may stand behind other words and a
 * colon. NULL for an error that is not known while nothing is wrong with the connection. */
const char *redis_hint(enum redis_trouble trouble, const char *error);

/* Whether an error says that a command was too long for the server, as it will be again. */
bool redis_says_too_long(const char *error);

enum redis_type redis_reply_type(const struct redis_reply *reply);
/* Text of a string, status or error ("" for others); `len` may be NULL. Owned by the reply. */
const char *redis_reply_text(const struct redis_reply *reply, size_t *len);
long long redis_reply_integer(const struct redis_reply *reply); /* 0 for others */
size_t redis_reply_count(const struct redis_reply *reply);      /* elements of an array, else 0 */
/* An element, owned by the array; a nil reply past the end. */
const struct redis_reply *redis_reply_at(const struct redis_reply *reply, size_t index);
void redis_reply_free(struct redis_reply *reply); /* NULL is fine */

/* Whether an error reply starts with `code`: redis_reply_is_error(reply, "NOSCRIPT"). */
bool redis_reply_is_error(const struct redis_reply *reply, const char *code);
/* The same for a list of codes that ends in NULL. */
bool redis_reply_is_one_of(const struct redis_reply *reply, const char *const *codes);

/* The kind of an error reply that keeps a connection from being of use. */
enum redis_trouble redis_reply_trouble(const struct redis_reply *error);

/* Whether this is an error after which the server closes the connection. It stands in the place of
 * a command's reply: neither that command nor any after it was executed. */
bool redis_reply_is_last(const struct redis_reply *reply);

#endif
