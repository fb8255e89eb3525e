/* needs: redis/address.c redis/address_show.c base/memory.c base/plain.c */
/* fuzz_address.c - any text is read or refused whole, what is shown can be read again, no password
 * is told. */
#include "redis/address.h"

#include "fuzz.h"

#define SECRET "hunter2"

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void check_fields(const struct address *a)
{
    CHECK((a->host == NULL) != (a->path == NULL));
    CHECK(a->port >= 1 && a->port <= 65535);
    CHECK(a->db >= -1);
    CHECK(a->timeout >= 0 && a->timeout < 1e10);
    CHECK(!a->host || a->host[0]);
    CHECK(!a->path || a->path[0] == '/');
    CHECK(!a->user || a->user[0]);
    CHECK(!a->password || a->password[0]);
}

/* Reads what is shown: the same address, but for the password and the time-out. */
static void check_shown(const struct address *a, const char *shown)
{
    char err[400];
    struct address again;
    CHECK(address_parse(&again, shown, err, sizeof err) == 0);
    CHECK(is_same(a->host, again.host) && is_same(a->path, again.path) &&
          is_same(a->user, again.user));
    CHECK(a->port == again.port && a->db == again.db);
    CHECK(is_same(again.password, a->password ? "***" : NULL));
    address_clear(&again);
}

static void check_message(const char *err)
{
    const char *hint = strstr(err, "\nhint: ");
    CHECK(hint && !strchr(hint + 1, '\n'));
    CHECK(reference_is_utf8(err, strlen(err)));
    for (; *err; err++)
        CHECK((unsigned char)*err >= ' ' || err == hint);
}

/* 0 if it could be read; what people would then see, or the message, is in `said`. */
static int try(const char *text, char *said, size_t size)
{
    struct address a;
    memset(&a, 0xAA, sizeof a);
    int result = address_parse(&a, text, said, size);
    if (result == 0) {
        check_fields(&a);
        char *shown = malloc(size);
        check_shown(&a, address_show(&a, shown, size));
        memcpy(said, shown, strlen(shown) + 1);
        free(shown);
    } else {
        check_message(said);
    }
    address_clear(&a);
    CHECK(!a.host && !a.path && !a.user && !a.password);
    return result;
}

/* The input as what stands around a password: user, rest of the password, host and all that
 * follows, each ending at a line end (which no address holds). A secret that the input itself tells
 * elsewhere proves nothing. */
static void try_with_secret(const char *input, char *said, size_t size)
{
    char *text = malloc(strlen(input) + 64), *copy = strdup(input), *rest = copy;
    const char *user = strsep(&rest, "\n");
    const char *password = rest ? strsep(&rest, "\n") : "";
    sprintf(text, "redis://%s:" SECRET "%s@%s", user, password, rest ? rest : "host");
    if (!strstr(input, "hunter"))
        try(text, said, size);
    CHECK(strstr(input, "hunter") || !strstr(said, SECRET));
    free(copy);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    size_t room = 4 * size + 500;
    char *said = malloc(room);
    try(text, said, room);
    said[0] = '\0';
    try_with_secret(text, said, room);
    free(said);
    free(text);
    return 0;
}
