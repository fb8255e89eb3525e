/* address.c - reads the address of a Redis. Connects to nothing and asks no environment.
 *
 * The text may hold a password, also where none belongs (an @ forgotten, a / not encoded), so
 * messages say what is wrong in words and quote only what the grammar says is harmless. */
#include "redis/address.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/memory.h"
#include "base/plain.h"

#define HINT_FORMS "write host:port, redis://user:password@host:port/db or unix:///path"
#define HINT_PORT "a port is a number from 1 to 65535, as in redis://host:6379"
#define HINT_UNIX                                                                                  \
    "write unix:///run/redis.sock, with three slashes and no user; a password goes into "          \
    "REDIS_PASSWORD"
#define HINT_OPTIONS                                                                               \
    "the options are db, timeout (seconds) and password-encoding; persistent and "                 \
    "max_connect_retries are ignored"
#define HINT_COLONS                                                                                \
    "an IPv6 address stands in brackets, as in [::1]:6379; a database needs the form "             \
    "redis://host:6379/2"
#define HINT_DB "a database is a whole number, as in redis://host:6379/2"

/* A piece of the text being read. */
struct span {
    const char *at;
    size_t len;
};

struct parse {
    struct address *a;
    struct span user, password; /* still encoded; at NULL: none */
    bool base64;                /* password-encoding=b */
    char *err;
    size_t err_size;
};

/* Returns -1, for the caller to return. */
static int fail(struct parse *p, const char *hint, const char *what, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct parse *p, const char *hint, const char *what, ...)
{
    char text[128];
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    snprintf(p->err, p->err_size, "%s\nhint: %s", text, hint);
    return -1;
}

static bool is_text(struct span s, const char *text)
{
    return s.len == strlen(text) && strncasecmp_l(s.at, text, s.len, plain_locale()) == 0;
}

/* Cuts `rest` in front of the first of `stops`, or at its end; returns what was cut off. */
static struct span take(struct span *rest, const char *stops)
{
    struct span part = {rest->at, 0};
    while (part.len < rest->len && !strchr(stops, rest->at[part.len]))
        part.len++;
    rest->at += part.len;
    rest->len -= part.len;
    return part;
}

static bool skip(struct span *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c)
        return false;
    rest->at++;
    rest->len--;
    return true;
}

/* Digits only: strtol would also take blanks, signs and what follows. */
static int parse_number(struct span s, int max, int *number)
{
    long value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return -1;
        value = value * 10 + (s.at[i] - '0');
        if (value > max)
            return -1;
    }
    *number = (int)value;
    return s.len > 0 ? 0 : -1;
}

/* Seconds such as 5 or 0.25. Not strtod: a job may have set a locale that wants a comma. */
static int parse_seconds(struct span s, double *seconds)
{
    struct span rest = s, whole = take(&rest, ".");
    int units = 0, parts = 0;
    if (parse_number(whole, INT_MAX, &units) < 0)
        return -1;
    double scale = 1;
    if (skip(&rest, '.')) {
        if (parse_number(rest, INT_MAX, &parts) < 0)
            return -1;
        for (size_t i = 0; i < rest.len; i++)
            scale *= 10;
    }
    *seconds = units + parts / scale;
    return 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char letter = (char)(c | 0x20);
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* The byte that %XX at `s` stands for; -1: no two digits, or a NUL. */
static int percent_byte(const char *s)
{
    int high = hex_digit(s[1]), low = high < 0 ? -1 : hex_digit(s[2]);
    return low < 0 || high + low == 0 ? -1 : high << 4 | low;
}

/* An allocated copy with each %XX as its byte; NULL: a % stands for nothing, or for NUL. */
static char *percent_decode(struct span s)
{
    char *text = memory_copy(s.at, s.len), *out = text;
    for (const char *in = text; *in; in++) {
        int byte = *in == '%' ? percent_byte(in) : (unsigned char)*in;
        if (byte < 0) {
            explicit_bzero(text, s.len);
            free(text);
            return NULL;
        }
        in += *in == '%' ? 2 : 0;
        *out++ = (char)byte;
    }
    memset(out, 0, (size_t)(text + s.len - out));
    return text;
}

/* In place; padding may be missing. -1: not base64, or a NUL comes out. */
static int base64_decode(char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(text), digits = len, used = 0;
    while (digits > 0 && len - digits < 2 && text[digits - 1] == '=')
        digits--;
    if (digits % 4 == 1 || (digits < len && len % 4 != 0))
        return -1;
    unsigned bits = 0;
    for (size_t i = 0; i < digits; i++) {
        const char *place = strchr(alphabet, text[i]);
        if (!place)
            return -1;
        bits = bits << 6 | (unsigned)(place - alphabet);
        if (i % 4 == 0)
            continue;
        text[used] = (char)(bits >> (6 - 2 * (i % 4)));
        if (text[used++] == '\0')
            return -1;
    }
    explicit_bzero(text + used, len - used);
    return 0;
}

static bool is_made_of_name_characters(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.at[i], letter = (char)(c | 0x20);
        if ((letter < 'a' || letter > 'z') && (c < '0' || c > '9') && !strchr(".-_", c))
            return false;
    }
    return true;
}

/* Inside brackets; a zone may follow the address, as it is (fe80::1%eth0; RFC 9844 did away with
 * %25). */
static int parse_ipv6(struct parse *p, struct span s)
{
    struct span zone = s, number = take(&zone, "%");
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr ignored;
    if (number.len < sizeof text)
        memcpy(text, number.at, number.len);
    bool good = inet_pton(AF_INET6, text, &ignored) == 1;
    if (skip(&zone, '%'))
        good = good && zone.len > 0 && is_made_of_name_characters(zone);
    if (!good)
        return fail(p, "write [::1]:6379", "what stands in [ ] is no IPv6 address");
    p->a->host = memory_copy(s.at, s.len);
    return 0;
}

static int parse_name(struct parse *p, struct span s)
{
    if (s.len == 0)
        return fail(p, HINT_FORMS, "there is no host");
    if (!is_made_of_name_characters(s))
        return fail(p, HINT_FORMS, "the host holds a character that no host name has");
    p->a->host = memory_copy(s.at, s.len);
    return 0;
}

/* host, host:port, [ipv6] or [ipv6]:port, up to the end of `s`. */
static int parse_host(struct parse *p, struct span s)
{
    struct span rest = s;
    if (skip(&rest, '[')) {
        struct span inside = take(&rest, "]");
        if (!skip(&rest, ']'))
            return fail(p, "write [::1]:6379", "a [ has no ] after it");
        if (parse_ipv6(p, inside) < 0)
            return -1;
    } else if (parse_name(p, take(&rest, ":")) < 0) {
        return -1;
    }
    if (rest.len == 0)
        return 0;
    if (rest.len > 1 && memchr(rest.at + 1, ':', rest.len - 1))
        return fail(p, HINT_COLONS, "there is more than one colon after the host");
    if (!skip(&rest, ':') || parse_number(rest, 65535, &p->a->port) < 0 || p->a->port == 0)
        return fail(p, HINT_PORT, "the port is not a number from 1 to 65535");
    return 0;
}

/* A database may stand in the path and in the options, if it is the same one. */
static int set_db(struct parse *p, struct span value)
{
    int db;
    if (parse_number(value, INT_MAX, &db) < 0)
        return fail(p, HINT_DB, "the database is not a number");
    if (p->a->db >= 0 && p->a->db != db)
        return fail(p, HINT_DB, "two different databases are given");
    p->a->db = db;
    return 0;
}

static int set_timeout(struct parse *p, struct span value)
{
    if (parse_seconds(value, &p->a->timeout) < 0)
        return fail(p, "write timeout=2.5", "the timeout is not a number of seconds");
    return 0;
}

static int set_encoding(struct parse *p, struct span value)
{
    p->base64 = is_text(value, "b");
    if (!p->base64 && !is_text(value, "u"))
        return fail(p, "u: percent-encoded (always understood), b: base64",
                    "password-encoding is neither u nor b");
    return 0;
}

static const struct option {
    const char *name;
    int (*set)(struct parse *p, struct span value); /* NULL: accepted, without a meaning */
} options[] = {
    {"db", set_db},       {"timeout", set_timeout},      {"password-encoding", set_encoding},
    {"persistent", NULL}, {"max_connect_retries", NULL},
};

static int parse_option(struct parse *p, struct span name, struct span value)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (is_text(name, options[i].name))
            return options[i].set ? options[i].set(p, value) : 0;
    if (!is_made_of_name_characters(name))
        return fail(p, HINT_OPTIONS, "an option has no name that is one");
    return fail(p, HINT_OPTIONS, "there is no option '%.*s'", (int)name.len, name.at);
}

/* `rest` is empty or starts with the question mark. */
static int parse_options(struct parse *p, struct span rest)
{
    while (skip(&rest, '?') || skip(&rest, '&')) {
        struct span value = take(&rest, "&"), name = take(&value, "=");
        skip(&value, '=');
        if (name.len > 0 && parse_option(p, name, value) < 0)
            return -1;
    }
    return 0;
}

/* Takes [[user:]password@] off the front. The last @ counts, so an @ in a password does no harm; a
 * / ? or # would, and what looks like a host would be a piece of the password. */
static int split_credentials(struct parse *p, struct span *rest)
{
    const char *at = memrchr(rest->at, '@', rest->len);
    if (!at)
        return 0;
    struct span both = {rest->at, (size_t)(at - rest->at)};
    *rest = (struct span){at + 1, rest->len - both.len - 1};
    struct span check = both;
    if (take(&check, "/?#").len < both.len)
        return fail(p, "write / as %2F, ? as %3F, # as %23, @ as %40, % as %25",
                    "the user or password holds / ? or # as it is");
    struct span first = take(&both, ":");
    p->a->password_alone = !skip(&both, ':');
    p->password = p->a->password_alone ? first : both;
    if (!p->a->password_alone)
        p->user = first;
    return 0;
}

static int decode_credentials(struct parse *p)
{
    static const char hint[] = "write a % itself as %25; %00 cannot be part of it";
    if (p->user.len > 0 && !(p->a->user = percent_decode(p->user)))
        return fail(p, hint, "a %% in the user encodes nothing");
    if (p->password.len == 0)
        return 0;
    if (!(p->a->password = percent_decode(p->password)))
        return fail(p, hint, "a %% in the password encodes nothing");
    if (p->base64 && base64_decode(p->a->password) < 0)
        return fail(p, "leave password-encoding out if it is percent-encoded only",
                    "the password is not base64, as password-encoding=b says");
    return 0;
}

static int parse_tcp(struct parse *p, struct span rest)
{
    if (split_credentials(p, &rest) < 0 || parse_host(p, take(&rest, "/?")) < 0)
        return -1;
    if (skip(&rest, '/')) {
        struct span db = take(&rest, "?");
        if (db.len > 0 && set_db(p, db) < 0)
            return -1;
    }
    return parse_options(p, rest) < 0 ? -1 : decode_credentials(p);
}

static int parse_unix(struct parse *p, struct span rest)
{
    struct span path = take(&rest, "?");
    if (path.len < 2 || path.at[0] != '/')
        return fail(p, HINT_UNIX, "a Unix socket needs an absolute path");
    if (path.len >= sizeof((struct sockaddr_un *)0)->sun_path)
        return fail(p, "use a shorter path, a symbolic link for example",
                    "the path of the Unix socket is too long for the system (107 bytes)");
    p->a->path = memory_copy(path.at, path.len);
    return parse_options(p, rest);
}

static const struct scheme {
    const char *name;
    int (*parse)(struct parse *p, struct span rest); /* NULL: known, but not supported */
} schemes[] = {
    {"redis", parse_tcp},
    {"tcp", parse_tcp},
    {"unix", parse_unix},
    {"rediss", NULL},
};

/* Only a word is shown: what stands there may be `user:pa` of user:pa://ss@host. */
static bool is_word(struct span s)
{
    enum { LONGEST = 16 };
    for (size_t i = 0; i < s.len; i++)
        if ((s.at[i] | 0x20) < 'a' || (s.at[i] | 0x20) > 'z')
            return false;
    return s.len > 0 && s.len <= LONGEST;
}

static int parse_scheme(struct parse *p, struct span scheme, struct span rest)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!is_text(scheme, schemes[i].name))
            continue;
        if (schemes[i].parse)
            return schemes[i].parse(p, rest);
        return fail(p, "use redis://, a Unix socket or a local TLS proxy",
                    "%s:// (TLS) is not supported", schemes[i].name);
    }
    if (!is_word(scheme))
        return fail(p, HINT_FORMS, "what stands before :// is no scheme");
    return fail(p, "the schemes are redis://, tcp:// and unix://", "there is no scheme '%.*s'",
                (int)scheme.len, scheme.at);
}

/* host or host:port, without a scheme. */
static int parse_plain(struct parse *p, struct span text)
{
    if (memchr(text.at, '@', text.len))
        return fail(p, "write redis://user:password@host:port",
                    "a user or password needs a scheme in front");
    if (text.at[0] == '/')
        return fail(p, "write unix:///run/redis.sock", "a path needs a scheme in front");
    if (memchr(text.at, '/', text.len))
        return fail(p, "a database needs the form redis://host:6379/2",
                    "there is a / after the host");
    return parse_host(p, text);
}

static int parse_text(struct parse *p, const char *text)
{
    struct span all = {text, strlen(text)};
    if (all.len == 0)
        return fail(p, HINT_FORMS, "the address is empty");
    for (size_t i = 0; i < all.len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
            return fail(p, "remove it; in a password write it as %0A, for example",
                        "the address holds a control character (a line end?)");
    const char *colon = strstr(text, "://");
    if (!colon)
        return parse_plain(p, all);
    struct span scheme = {text, (size_t)(colon - text)};
    return parse_scheme(p, scheme, (struct span){colon + 3, all.len - scheme.len - 3});
}

int address_parse(struct address *a, const char *text, char *err, size_t err_size)
{
    struct parse p = {.a = a, .err = err, .err_size = err_size};
    *a = (struct address){.port = ADDRESS_PORT, .db = -1};
    if (parse_text(&p, text) == 0)
        return 0;
    address_clear(a);
    return -1;
}

void address_clear(struct address *a)
{
    if (a->password)
        explicit_bzero(a->password, strlen(a->password));
    free(a->password);
    free(a->user);
    free(a->host);
    free(a->path);
    *a = (struct address){.port = ADDRESS_PORT, .db = -1};
}
