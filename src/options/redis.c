/* redis.c - where Redis is and who we are there: address, database, password. Takes the
 * secrets out of what is shown and out of the environment. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "options/internal.h"

#define ERROR_SIZE 512

static const struct options_value *value_of(const struct options *options, const char *flag)
{
    return &options->values[options_find(flag)];
}

/* 0, or what is wrong with the file, as errno has it; EINVAL: nothing on its first line. */
static int read_first_line(const char *path, char *out, size_t size)
{
    FILE *in = fopen(path, "re");
    if (!in)
        return errno;
    bool read = fgets(out, (int)size, in) != NULL;
    int error = ferror(in) ? errno : 0;
    fclose(in);
    if (read)
        out[strcspn(out, "\r\n")] = '\0';
    return error ? error : read && *out ? 0 : EINVAL;
}

static int read_password_file(struct options_parse *p, char *out, size_t size)
{
    const char *path = value_of(p->options, "redis-password-file")->text;
    int error = read_first_line(path, out, size);
    char shown[OPTIONS_SHOWN] =
        "that REDIS_PASSWORD_FILE names"; /* or is it the password itself? */
    if (!error)
        return 0;
    if (strchr(path, '/'))
        options_quote(shown, path, strlen(path));
    return options_fail(p,
                        "the password file %s cannot be used: %s\n"
                        "hint: REDIS_PASSWORD_FILE is a file whose first line is the password",
                        shown, error == EINVAL ? "its first line is empty" : strerror(error));
}

/* The URL's own password wins, unless it may be a user; then REDIS_PASSWORD, then the file. */
static int settle_password(struct options_parse *p)
{
    struct address *a = &p->options->address;
    const char *given = value_of(p->options, "redis-password")->text;
    char line[1024];
    if (!address_wants_password(a))
        return 0;
    if (given) {
        address_set_password(a, given);
    } else if (value_of(p->options, "redis-password-file")->text) {
        if (read_password_file(p, line, sizeof line) < 0)
            return -1;
        address_set_password(a, line);
        explicit_bzero(line, sizeof line);
    }
    return 0;
}

/* How the person wrote the name of row `i`. */
static const char *spelled(const struct options *options, size_t i, char *out, size_t size)
{
    const struct options_value *value = &options->values[i];
    snprintf(out, size, "%s%s", value->variable ? "" : "--",
             value->variable ? value->variable : options_settings[i].flag);
    return out;
}

/* The database the URL named is the effective one, from where the URL is. */
static void show_url_db(struct options *options)
{
    size_t row = options_find("redis-db");
    const struct options_value *url = value_of(options, "redis");
    char text[32];
    snprintf(text, sizeof text, "%d", options->address.db);
    options_replace(options, row, text);
    options->values[row].source = url->source;
    options->values[row].variable = url->variable ? url->variable : "--redis";
}

/* The URL's database wins over REDIS_BACKEND_DB, but not over --redis-db when the URL is no flag.
 */
int options_settle_redis(struct options_parse *p)
{
    struct options *options = p->options;
    size_t row = options_find("redis");
    const struct options_value *db = value_of(options, "redis-db");
    char why[ERROR_SIZE], shown[ERROR_SIZE], from[64];
    if (address_parse(&options->address, options->values[row].text, why, sizeof why) < 0)
        return options_fail(p, "%s: %s", spelled(options, row, from, sizeof from), why);
    bool db_is_nearer = db->source == OPTIONS_FLAG && options->values[row].source != OPTIONS_FLAG;
    if (options->address.db < 0 || db_is_nearer)
        options->address.db = (int)strtol(db->text, NULL, 10);
    else
        show_url_db(options);
    if (settle_password(p) < 0)
        return -1;
    options_replace(options, row, address_show(&options->address, shown, sizeof shown));
    options_replace(options, options_find("redis-password"), NULL);
    return 0;
}

/* Leaves to jobs what may be seen of an address. One that cannot be read may hold a password
 * anywhere, so nothing of it. */
static void hide_password(const char *variable, bool given_elsewhere)
{
    const char *text = getenv(variable);
    char why[ERROR_SIZE], shown[ERROR_SIZE];
    struct address a;
    if (!text)
        return;
    if (address_parse(&a, text, why, sizeof why) < 0)
        unsetenv(variable);
    if (a.password_alone && given_elsewhere)
        address_set_password(&a, "");
    struct address open = a;
    open.password = NULL; /* the masked form would read as a password of three stars */
    if (a.password)
        setenv(variable, address_show(&open, shown, sizeof shown), 1);
    address_clear(&a);
}

void options_hide_secrets(const struct options *options)
{
    const char *password = getenv("REDIS_PASSWORD");
    bool given = (password && *password) || value_of(options, "redis-password-file")->text;
    hide_password("REDIS_BACKEND", given);
    hide_password("REDIS_URL", given);
    unsetenv("REDIS_PASSWORD");
}
