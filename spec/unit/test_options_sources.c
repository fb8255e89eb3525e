/* test_options_sources.c - flags, environment, --env-file: which wins, and what is read of each. */
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

/* Each variable, its flag, and where both end up. */
static const struct {
    const char *variable, *flag, *value, *row, *text;
} variables[] = {
    {"QUEUE", "-q", "a,b", "queues", "a,b"},
    {"QUEUES", "--queues", "a,b", "queues", "a,b"},
    {"APP_INCLUDE", "-I", "jobs.lua", "include", "jobs.lua"},
    {"NO_INCLUDE", "--no-include", NULL, "no-include", "1"},
    {"COUNT", "-n", "5", "count", "5"},
    {"INTERVAL", "-i", "0.5", "interval", "0.5"},
    {"BLOCKING", "--blocking", NULL, "blocking", "1"},
    {"MAX_PAYLOAD", "--max-payload", "2M", "max-payload", "2097152"},
    {"JOB_TIMEOUT", "--timeout", "5m", "timeout", "300"},
    {"JOB_MEMORY", "--job-memory", "64M", "job-memory", "67108864"},
    {"JOB_CPU", "--job-cpu", "1.5", "job-cpu", "1.5"},
    {"ON_CRASH", "--on-crash", "requeue:3", "on-crash", "requeue:3"},
    {"TERM_CHILD", "--term-child", NULL, "term-child", "1"},
    {"RESQUE_TERM_TIMEOUT", "--term-timeout", "1m", "term-timeout", "60"},
    {"RESQUE_PRE_SHUTDOWN_TIMEOUT", "--pre-shutdown-timeout", "500ms", "pre-shutdown-timeout",
     "0.5"},
    {"GRACEFUL_TERM", "--graceful-term", NULL, "graceful-term", "1"},
    {"PIDFILE", "--pidfile", "/run/x.pid", "pidfile", "/run/x.pid"},
    {"BACKGROUND", "--daemon", NULL, "daemon", "1"},
    {"WORKER_HOST", "--worker-host", "web1", "worker-host", "web1"},
    {"RESQUE_PROCLINE_PREFIX", "--procline-prefix", "app", "procline-prefix", "app"},
    {"RESQUE_HEARTBEAT", "--heartbeat", "10", "heartbeat", "10"},
    {"RESQUE_PRUNE", "--prune", "1h", "prune", "3600"},
    {"LOG_FORMAT", "--log-format", "json", "log-format", "json"},
    {"LOGFILE", "--logfile", "/var/log/x", "logfile", "/var/log/x"},
    {"REDIS_BACKEND", "-r", "web1:6380", "redis", "redis://web1:6380/0"},
    {"REDIS_URL", "--redis", "redis://web1/3", "redis", "redis://web1:6379/3"},
    {"REDIS_BACKEND_DB", "--redis-db", "7", "redis-db", "7"},
    {"PREFIX", "-p", "app", "prefix", "app:"},
    {"RESQUE_LUA_PATH", "--lua-path", "lua", "lua-path", "lua"},
    {"VERBOSE", "-v", NULL, "verbose", "1"},
    {"LOGGING", "--verbose", NULL, "verbose", "1"},
    {"VVERBOSE", "-vv", NULL, "very-verbose", "1"},
    {"NO_COLOR", "--no-color", NULL, "no-color", "1"},
};

static void test_every_variable_and_its_flag(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = variables[i].value;
        char line[256];
        clearenv();
        setenv(variables[i].variable, value ? value : "1", 1);
        assert_int_equal(parse("resque-lua config"), 0);
        assert_string_equal(text_of(variables[i].row), variables[i].text);
        clearenv();
        snprintf(line, sizeof line, "resque-lua config %s %s", variables[i].flag,
                 value ? value : "");
        assert_int_equal(parse(line), 0);
        assert_string_equal(text_of(variables[i].row), variables[i].text);
    }
}

static void test_flag_beats_environment_beats_file(void **state)
{
    (void)state;
    char line[256];
    write_file("QUEUE=file\nCOUNT=2\n# a comment\n\nINTERVAL=3\n");
    setenv("QUEUE", "environment", 1);
    setenv("COUNT", "3", 1);
    snprintf(line, sizeof line, "resque-lua -q flag --env-file %s", path);
    assert_int_equal(parse(line), 0);
    assert_string_equal(options.work.queues, "flag");
    assert_int_equal(options.work.count, 3);
    assert_true(options.work.interval == 3);
}

/* QUEUES comes first in the row, but where it stands counts more. */
static void test_the_stronger_source_wins_over_the_first_name(void **state)
{
    (void)state;
    char line[256];
    write_file("QUEUES=file\n");
    setenv("QUEUE", "environment", 1);
    snprintf(line, sizeof line, "resque-lua --env-file %s", path);
    assert_int_equal(parse(line), 0);
    assert_string_equal(options.work.queues, "environment");
    setenv("QUEUES", "both", 1);
    assert_int_equal(parse("resque-lua"), 0);
    assert_string_equal(options.work.queues, "both");
}

static void test_env_file_forms(void **state)
{
    (void)state;
    char line[256];
    write_file(
        "export A=plain text  \n  B='single $x \"q\"'  # comment\nC=\"a\\\"b\\n$x\"\nD=\nA=again\n"
        "TAKEN=no\nE=a#b=c");
    setenv("TAKEN", "yes", 1);
    snprintf(line, sizeof line, "resque-lua -q x --env-file %s", path);
    assert_int_equal(parse(line), 0);
    assert_string_equal(getenv("A"), "again");
    assert_string_equal(getenv("B"), "single $x \"q\"");
    assert_string_equal(getenv("C"), "a\"b\n$x");
    assert_string_equal(getenv("D"), "");
    assert_string_equal(getenv("E"), "a#b=c");
    assert_string_equal(getenv("TAKEN"), "yes");
}

static void test_env_file_errors_name_the_line(void **state)
{
    (void)state;
    static const char *const bad[] = {"no equals sign\n", "1A=x\n", "A='open\n", "A=\"x\" y\n",
                                      "=x\n"};
    char line[256], where[256];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "OK=1\n%s", bad[i]);
        write_file(text);
        snprintf(line, sizeof line, "resque-lua -q x --env-file %s", path);
        snprintf(where, sizeof where, "%s:2: ", path);
        assert_refused(line, where);
    }
    assert_refused("resque-lua -q x --env-file /no/such/file", "cannot read /no/such/file");
    assert_refused("resque-lua -q x --env-file /tmp", "cannot read /tmp");
}

static void test_what_a_shell_would_take_off_is_refused(void **state)
{
    (void)state;
    static const char *const bad[][3] = {
        {"QUEUE", "\"mail\"", "QUEUE has quotes around it"},
        {"QUEUES", "'a','b'", "QUEUES has quotes around it"},
        {"QUEUE", "mail # of the shop", "QUEUE has a comment behind it"},
        {"TERM_CHILD", "\"0\"", "TERM_CHILD has quotes around it"},
        {"GRACEFUL_TERM", "\"\"", "GRACEFUL_TERM has quotes around it"},
        {"BACKGROUND", "0\t# never", "BACKGROUND has a comment behind it"},
        {"PREFIX", "'shop'", "PREFIX has quotes around it"},
        {"REDIS_URL", "\"redis://:s3cret@host\"", "REDIS_URL has quotes around it"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        clean_environment();
        setenv(bad[i][0], bad[i][1], 1);
        assert_refused(strncmp(bad[i][0], "QUEUE", 5) == 0 ? "resque-lua" : "resque-lua -q x",
                       bad[i][2]);
        assert_null(strstr(err, "s3cret"));
    }
    assert_int_equal(parse("resque-lua -q \"mail\" -r redis://host --prefix a"), 0);
    assert_string_equal(options.work.queues, "\"mail\""); /* a flag says what it says */
}

static void test_what_is_no_leftover_of_a_shell(void **state)
{
    (void)state;
    static const char *const good[] = {"\"", "'a", "a#b", "#a", "a\"b\"", "'a\""};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        setenv("QUEUE", good[i], 1);
        assert_int_equal(parse("resque-lua"), 0);
        assert_string_equal(options.work.queues, good[i]);
    }
    setenv("REDIS_PASSWORD", "\"of quotes # and more\"", 1);
    assert_int_equal(parse("resque-lua"), 0);
    assert_string_equal(options.address.password, "\"of quotes # and more\"");
}

static void test_empty_variables_count_as_not_given(void **state)
{
    (void)state;
    setenv("INTERVAL", "", 1);
    setenv("COUNT", "", 1);
    setenv("QUEUES", "", 1);
    setenv("QUEUE", "mail", 1);
    setenv("BLOCKING", "", 1);
    assert_int_equal(parse("resque-lua"), 0);
    assert_true(options.work.interval == 5 && options.work.count == 1 && !options.work.blocking);
    assert_string_equal(options.work.queues, "mail");
    assert_null(options.warnings[0]);
}

static void test_words_that_mean_off(void **state)
{
    (void)state;
    static const char *const off[] = {"0", "no", "false", "off", "NO", "False"};
    static const char *const on[] = {"1", "yes", "true", "on", "2", "anything"};
    for (size_t i = 0; i < 6; i++) {
        setenv("BLOCKING", off[i], 1);
        assert_int_equal(parse("resque-lua -q x"), 0);
        assert_false(options.work.blocking);
        assert_non_null(strstr(options.warnings[0], "php-resque takes any value as yes"));
        setenv("BLOCKING", on[i], 1);
        assert_int_equal(parse("resque-lua -q x"), 0);
        assert_true(options.work.blocking);
        assert_null(options.warnings[0]);
    }
    assert_int_equal(parse("resque-lua -q x --blocking=no"), 0);
    assert_false(options.work.blocking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        ROW(test_every_variable_and_its_flag),
        ROW(test_flag_beats_environment_beats_file),
        ROW(test_the_stronger_source_wins_over_the_first_name),
        ROW(test_env_file_forms),
        ROW(test_env_file_errors_name_the_line),
        ROW(test_what_a_shell_would_take_off_is_refused),
        ROW(test_what_is_no_leftover_of_a_shell),
        ROW(test_empty_variables_count_as_not_given),
        ROW(test_words_that_mean_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
