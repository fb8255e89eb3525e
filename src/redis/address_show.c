/* address_show.c - an address that was read: a password from elsewhere, and how people may see it.
 */
#include "redis/address.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

bool address_wants_password(const struct address *a)
{
    return !a->password || a->password_alone;
}

void address_set_password(struct address *a, const char *password)
{
    if (a->password_alone)
        a->user = a->password;
    a->password_alone = false;
    a->password = memory_copy(password, strlen(password));
}

/* Appends at most what fits; snprintf on a moving end. */
static void add(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(char *out, size_t size, const char *format, ...)
{
    size_t used = strnlen(out, size);
    va_list args;
    va_start(args, format);
    vsnprintf(out + used, size - used, format, args);
    va_end(args);
}

/* Percent-encoded, so that what is shown can be read again and holds no control characters. */
static void add_user(char *out, size_t size, const char *user)
{
    for (; *user; user++) {
        unsigned char c = (unsigned char)*user;
        bool plain =
            (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || strchr("-._~", c);
        add(out, size, plain ? "%c" : "%%%02X", c);
    }
}

char *address_show(const struct address *a, char *out, size_t size)
{
    if (size == 0)
        return out;
    out[0] = '\0';
    if (a->path) {
        add(out, size, "unix://%s", a->path);
        if (a->db >= 0)
            add(out, size, "?db=%d", a->db);
        return out;
    }
    add(out, size, "redis://");
    if (a->user)
        add_user(out, size, a->user);
    if (a->user || a->password)
        add(out, size, a->password ? ":***@" : ":@"); /* a user alone reads as a password */
    bool ipv6 = a->host && strchr(a->host, ':');
    add(out, size, ipv6 ? "[%s]:%d" : "%s:%d", a->host ? a->host : "", a->port);
    if (a->db >= 0)
        add(out, size, "/%d", a->db);
    return out;
}
