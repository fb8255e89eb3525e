/* test_options_redis.c - which Redis the settings name; passwords are found, and hidden. */
/* needs: options/options.c options/flags.c options/value.c options/include.c options/redis.c */
/* needs: options/table.c options/env_file.c base/suggest.c options/include_list.c os/folder.c */
/* needs: redis/address.c redis/address_show.c */
/* needs: base/text.c base/memory.c base/plain.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "parsing.h"

/* backend, url, db variable, flags -> where it goes */
static const struct {
    const char *backend, *url, *db, *flags, *host;
    int number;
} addresses[] = {
    {NULL, NULL, NULL, "", "localhost", 0},
    {"b:1", "redis://u/2", NULL, "", "b", 0},
    {NULL, "redis://u/2", NULL, "", "u", 2},
    {NULL, "redis://u/2", "5", "", "u", 2},
    {"b", NULL, "5", "", "b", 5},
    {"b", "redis://u/2", "5", "-r redis://f/7", "f", 7},
    {"redis://b/2", NULL, NULL, "--redis-db 9", "b", 9},
    {NULL, NULL, NULL, "-r redis://f/7 --redis-db 9", "f", 7},
    {"", "redis://u/2", NULL, "", "u", 2},
};

static void test_which_redis(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        char line[128];
        clean_environment();
        if (addresses[i].backend)
            setenv("REDIS_BACKEND", addresses[i].backend, 1);
        if (addresses[i].url)
            setenv("REDIS_URL", addresses[i].url, 1);
        if (addresses[i].db)
            setenv("REDIS_BACKEND_DB", addresses[i].db, 1);
        snprintf(line, sizeof line, "resque-lua -q x %s", addresses[i].flags);
        assert_int_equal(parse(line), 0);
        assert_string_equal(options.address.host, addresses[i].host);
        assert_int_equal(options.address.db, addresses[i].number);
        assert_int_equal(atoi(text_of("redis-db")), addresses[i].number);
    }
    clean_environment();
    setenv("REDIS_BACKEND", "gopher://u:secret@x", 1);
    assert_refused("resque-lua -q x", "REDIS_BACKEND: ");
    assert_null(strstr(err, "secret"));
}

static void test_passwords_are_found_and_hidden(void **state)
{
    (void)state;
    setenv("REDIS_PASSWORD", "canary1", 1);
    setenv("REDIS_URL", "redis://me:canary2@other:1/4", 1);
    setenv("REDIS_BACKEND", "redis://me@host:1", 1);
    assert_int_equal(parse("resque-lua -q x"), 0);
    assert_string_equal(options.address.password, "canary1");
    assert_null(getenv("REDIS_PASSWORD"));
    assert_string_equal(options.address.user, "me");
    /* With its colon, or `me` would read as a password. */
    assert_string_equal(getenv("REDIS_URL"), "redis://me:@other:1/4");
    assert_string_equal(getenv("REDIS_BACKEND"), "redis://me:@host:1");
    assert_null(strstr(text_of("redis"), "canary"));

    clean_environment();
    setenv("REDIS_BACKEND", "redis://:canary3@host", 1);
    setenv("REDIS_URL", "gopher://x:canary4@host", 1);
    setenv("REDIS_PASSWORD", "unused", 1);
    assert_int_equal(parse("resque-lua -q x"), 0);
    assert_string_equal(options.address.password, "canary3");
    assert_null(getenv("REDIS_URL"));
    assert_null(strstr(getenv("REDIS_BACKEND"), "canary"));
    assert_null(strstr(text_of("redis"), "canary"));
}

/* redis-cli and Ruby's client take what stands alone in front of the @ for the password. */
static void test_password_in_the_users_place(void **state)
{
    (void)state;
    char line[256];
    setenv("REDIS_URL", "redis://canary7@host/4", 1);
    setenv("REDIS_BACKEND", "redis://canary8@host/4", 1);
    assert_int_equal(parse("resque-lua -q x"), 0);
    assert_string_equal(options.address.password, "canary8");
    assert_null(options.address.user);
    assert_string_equal(text_of("redis"), "redis://:***@host:6379/4");
    assert_string_equal(getenv("REDIS_BACKEND"), "redis://host:6379/4");
    assert_string_equal(getenv("REDIS_URL"), "redis://host:6379/4");
    assert_int_equal(parse("resque-lua -q x -r redis://canary9@host"), 0);
    assert_string_equal(options.address.password, "canary9");

    clean_environment();
    write_file("canary5\n");
    setenv("REDIS_BACKEND", "redis://me@host/4", 1);
    snprintf(line, sizeof line, "resque-lua -q x --redis-password-file=%s", path);
    assert_int_equal(parse(line), 0);
    assert_string_equal(options.address.user, "me");
    assert_string_equal(options.address.password, "canary5");
    assert_string_equal(text_of("redis"), "redis://me:***@host:6379/4");
    assert_string_equal(getenv("REDIS_BACKEND"), "redis://me:@host:6379/4");
}

/* An address, or a password, that was put where something else is expected. */
static void test_misplaced_secrets_are_not_quoted(void **state)
{
    (void)state;
    static const struct {
        const char *line, *part;
    } rows[] = {
        {"resque-lua redis://:canary@host", "no command 'redis://***@host'"},
        {"resque-lua u:canary://x@host", "no command '***@host'"},
        {"resque-lua check --redis:redis://:canary@host", "no option --***@host"},
        {"resque-lua config redis://me:canary@host:1/2", "'redis://***@host:1/2'"},
        {"resque-lua -q x --redis-db redis://:canary@host", "'redis://***@host', which is not"},
        {"resque-lua -q x --interval canary@host", "'***@host', which is not"},
        {"resque-lua -q x --log-format tcp://canary@host", "'tcp://***@host', which"},
        {"resque-lua -q x --on-crash tcp://canary@host", "'tcp://***@host', which"},
        {"resque-lua -q x --redis-password-file canary", "that REDIS_PASSWORD_FILE names"},
        {"resque-lua -q x --redis-password canary", "there is no option --redis-password"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_refused(rows[i].line, rows[i].part);
        if (strstr(err, "canary"))
            fail_msg("%s: %s", rows[i].line, err);
    }
    char line[700] = "resque-lua ";
    memset(line + strlen(line), 'x', 500);
    strcat(line, "canary@host"); /* what is cut off is cut after it was masked */
    assert_refused(line, "'***@host'");
}

static void test_password_file(void **state)
{
    (void)state;
    write_file("canary5\r\nmore\n");
    setenv("REDIS_PASSWORD_FILE", path, 1);
    assert_int_equal(parse("resque-lua -q x"), 0);
    assert_string_equal(options.address.password, "canary5");
    write_file("\n");
    assert_refused("resque-lua -q x", "its first line is empty");
    setenv("REDIS_PASSWORD_FILE", "/no/such", 1);
    assert_refused("resque-lua -q x", "/no/such cannot be used");
    setenv("REDIS_PASSWORD_FILE", "/tmp", 1);
    assert_refused("resque-lua -q x", "Is a directory");
}

static void test_env_file_secrets_leave_the_environment(void **state)
{
    (void)state;
    char line[256];
    write_file("REDIS_PASSWORD='canary6'\n");
    snprintf(line, sizeof line, "resque-lua -q x --env-file=%s", path);
    assert_int_equal(parse(line), 0);
    assert_string_equal(options.address.password, "canary6");
    assert_null(getenv("REDIS_PASSWORD"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        ROW(test_which_redis),
        ROW(test_passwords_are_found_and_hidden),
        ROW(test_password_in_the_users_place),
        ROW(test_misplaced_secrets_are_not_quoted),
        ROW(test_password_file),
        ROW(test_env_file_secrets_leave_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
