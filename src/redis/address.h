/* address.h - the grammar of REDIS_BACKEND and REDIS_URL, and its only parser.
 *
 *   host | host:port | [ipv6] | [ipv6]:port
 *   (redis|tcp)://[[user:]password@]host[:port][/db][?options]
 *   unix:///path[?options]
 *
 * Options: db, timeout (seconds), password-encoding=u|b (b: the password is base64). Unknown
 * options are refused with their name; persistent and max_connect_retries (php-resque) are accepted
 * and have no meaning here. User and password are percent-decoded. rediss:// is refused until there
 * is TLS. `redis://:password@host` has no user; an empty user or password counts as not given. A
 * single word in front of the @ is the password, as for redis-cli and Ruby's client, unless a
 * password is given elsewhere: then the word is the user, as for php-resque. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_PORT 6379

struct address {
    char *host;          /* NULL with a Unix socket; an IPv6 address stands here without brackets */
    int port;            /* 1..65535; ADDRESS_PORT when not given */
    char *path;          /* Unix socket, else NULL */
    char *user;          /* NULL: none */
    char *password;      /* NULL: none; never shown anywhere */
    bool password_alone; /* it stood in front of the @ without a colon, so it may be a user */
    int db;              /* -1: not given */
    double timeout;      /* connect time-out in seconds; 0: not given */
};

/* Fills `a` (whatever was in it) from `text`. 0, or -1 with what is wrong and, on a second line, a
 * `hint: ` in `err`. `err` quotes nothing of the text but a scheme or the name of an option:
 * in a text that cannot be read, anything else may be the password. After either, address_clear is
 * safe. */
int address_parse(struct address *a, const char *text, char *err, size_t err_size);

/* The same from REDIS_BACKEND, else REDIS_URL, else localhost, with REDIS_BACKEND_DB and
 * REDIS_PASSWORD. */
int address_from_environment(struct address *a, char *err, size_t err_size);

/* Whether a password from elsewhere (REDIS_PASSWORD) counts: the address has none of its own, or
 * one that may be a user. */
bool address_wants_password(const struct address *a);

/* Gives such an address its password; one that stood alone becomes the user. */
void address_set_password(struct address *a, const char *password);

/* Frees what address_parse made; wipes the password first. */
void address_clear(struct address *a);

/* "redis://user:***@host:6379/2" or "unix:///path?db=2" (db shown when >= 0). Returns `out`.
 */
char *address_show(const struct address *a, char *out, size_t size);

#endif
