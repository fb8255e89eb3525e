/* test_options.c - flags, environment, --env-file, defaults: which wins, what is refused, what is
 * hidden. */
/* needs: options/options.c options/flags.c options/value.c options/include.c options/redis.c */
/* needs: options/table.c options/env_file.c base/suggest.c options/include_list.c os/folder.c */
/* needs: redis/address.c redis/address_show.c */
/* needs: base/text.c base/memory.c base/plain.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "options/options.h"
#include "temporary.h"

#define WORDS 32

static struct options options;
static char err[1024];
static char path[TEMPORARY_SIZE];    /* the file of write_file */
static char pattern[TEMPORARY_SIZE]; /* of its path; the environment is emptied */

/* Parses a command line written as one text with blanks between the words. */
static int parse(const char *line)
{
    static char copy[1024];
    char *argv[WORDS] = {0};
    int argc = 0;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word && argc < WORDS - 1; word = strtok(NULL, " "))
        argv[argc++] = word;
    options_clear(&options);
    err[0] = '\0';
    return options_parse(&options, argc, argv, err, sizeof err);
}

static void write_file(const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* The effective text of the row with this flag. */
static const char *text_of(const char *name)
{
    const char *flag, *text;
    char type;
    for (size_t i = 0; options_row(&options, i, &flag, &type, &text); i++)
        if (flag && strcmp(flag, name) == 0)
            return text;
    return "(no such row)";
}

/* With what no worker can do without. */
static void clean_environment(void)
{
    clearenv();
    setenv("APP_INCLUDE", "jobs.lua", 1);
}

static int setup(void **state)
{
    (void)state;
    if (!path[0])
        temporary_path(pattern, "options");
    clean_environment();
    memset(&options, 0, sizeof options);
    strcpy(path, pattern);
    close(mkstemp(path));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    options_clear(&options);
    unlink(path);
    return 0;
}

static void assert_refused(const char *line, const char *what)
{
    assert_int_equal(parse(line), -1);
    if (!strstr(err, what))
        fail_msg("'%s' is not in: %s", what, err);
    assert_non_null(strstr(err, "\nhint: "));
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua -q mail"), 0);
    assert_int_equal(options.command, COMMAND_WORK);
    assert_string_equal(options.queues, "mail");
    assert_int_equal(options.count, 1);
    assert_true(options.interval == 5);
    assert_true(options.term_timeout == 4 && !options.term_timeout_given);
    assert_true(options.pre_shutdown_timeout == 0);
    assert_true(options.heartbeat == 60 && options.prune == 300);
    assert_int_equal(options.max_payload, 16 * 1024 * 1024);
    assert_false(options.blocking || options.background || options.term_child || options.log_json);
    assert_string_equal(options.prefix, "resque:");
    assert_string_equal(options.address.host, "localhost");
    assert_int_equal(options.address.port, 6379);
    assert_int_equal(options.address.db, 0);
    assert_string_equal(options.include, "jobs.lua");
    assert_null(options.pidfile);
    assert_null(options.warnings[0]);
}

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
    assert_string_equal(options.queues, "flag");
    assert_int_equal(options.count, 3);
    assert_true(options.interval == 3);
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
    assert_string_equal(options.queues, "environment");
    setenv("QUEUES", "both", 1);
    assert_int_equal(parse("resque-lua"), 0);
    assert_string_equal(options.queues, "both");
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
    assert_string_equal(options.queues, "\"mail\""); /* a flag says what it says */
}

static void test_what_is_no_leftover_of_a_shell(void **state)
{
    (void)state;
    static const char *const good[] = {"\"", "'a", "a#b", "#a", "a\"b\"", "'a\""};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        setenv("QUEUE", good[i], 1);
        assert_int_equal(parse("resque-lua"), 0);
        assert_string_equal(options.queues, good[i]);
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
    assert_true(options.interval == 5 && options.count == 1 && !options.blocking);
    assert_string_equal(options.queues, "mail");
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
        assert_false(options.blocking);
        assert_non_null(strstr(options.warnings[0], "php-resque takes any value as yes"));
        setenv("BLOCKING", on[i], 1);
        assert_int_equal(parse("resque-lua -q x"), 0);
        assert_true(options.blocking);
        assert_null(options.warnings[0]);
    }
    assert_int_equal(parse("resque-lua -q x --blocking=no"), 0);
    assert_false(options.blocking);
}

static void test_interval_zero_switches_blocking_off(void **state)
{
    (void)state;
    setenv("BLOCKING", "1", 1);
    setenv("INTERVAL", "0", 1);
    assert_int_equal(parse("resque-lua -q x"), 0);
    assert_true(options.interval == 0 && !options.blocking);
    assert_non_null(strstr(options.warnings[0], "INTERVAL=0"));
    clean_environment();
    assert_int_equal(parse("resque-lua -q x --burst"), 0);
    assert_true(options.interval == 0);
}

static void test_verbosity(void **state)
{
    (void)state;
    static const struct {
        const char *verbose, *very, *flags;
        int verbosity;
    } rows[] = {
        {NULL, NULL, "", 0},    {"1", NULL, "", 1},     {NULL, "1", "", 2},
        {"1", "1", "", 2},      {NULL, NULL, "-v", 1},  {NULL, NULL, "-v -v", 2},
        {NULL, NULL, "-vv", 2}, {NULL, "1", "-v", 1},   {"1", NULL, "--quiet", -1},
        {"0", NULL, "", 0},     {NULL, NULL, "-vb", 1}, {NULL, NULL, "--quiet", -1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[128];
        clean_environment();
        if (rows[i].verbose)
            setenv("VERBOSE", rows[i].verbose, 1);
        if (rows[i].very)
            setenv("VVERBOSE", rows[i].very, 1);
        snprintf(line, sizeof line, "resque-lua -q x %s", rows[i].flags);
        assert_int_equal(parse(line), 0);
        assert_int_equal(options.verbosity, rows[i].verbosity);
    }
}

static void test_no_queue(void **state)
{
    (void)state;
    static const char *const empty[] = {"", ",", " , ", "!mail", "!a, !b"};
    assert_refused("resque-lua", "Set QUEUE env var containing the list of queues to work.");
    assert_refused("resque-lua work -v",
                   "Set QUEUE env var containing the list of queues to work.");
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        setenv("QUEUE", empty[i], 1);
        assert_refused("resque-lua", "Set QUEUE env var containing the list of queues to work.");
    }
    setenv("QUEUE", "!a, b", 1);
    assert_int_equal(parse("resque-lua"), 0);
    unsetenv("QUEUE");
    assert_int_equal(parse("resque-lua config"), 0);
    assert_int_equal(parse("resque-lua enqueue q C"), 0);
}

static void test_a_worker_needs_classes(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua -q x"), 0);
    unsetenv("APP_INCLUDE");
    assert_refused("resque-lua -q x", "APP_INCLUDE names no Lua file");
    assert_refused("resque-lua -q x --no-include=0", "APP_INCLUDE names no Lua file");
    setenv("APP_INCLUDE", " , ", 1);
    assert_refused("resque-lua -q x", "APP_INCLUDE names no Lua file");
    assert_int_equal(parse("resque-lua config"), 0);
    assert_int_equal(parse("resque-lua enqueue q C"), 0); /* not their business */
    assert_int_equal(parse("resque-lua -q x --no-include"), 0);
    assert_true(options.no_include && !options.include);
}

static void test_the_stronger_of_include_and_no_include(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua -q x --no-include"), 0);
    assert_true(options.no_include);
    assert_null(options.include);
    assert_null(text_of("include"));
    unsetenv("APP_INCLUDE");
    setenv("NO_INCLUDE", "1", 1);
    assert_int_equal(parse("resque-lua -q x -I jobs.lua"), 0);
    assert_false(options.no_include);
    assert_string_equal(options.include, "jobs.lua");
    assert_string_equal(text_of("no-include"), "0");
    assert_refused("resque-lua -q x -I jobs.lua --no-include", "exclude each other");
    setenv("APP_INCLUDE", "jobs.lua", 1);
    assert_refused("resque-lua -q x", "exclude each other");
}

static void test_lua_path_is_looked_at_where_it_is_used(void **state)
{
    (void)state;
    setenv("RESQUE_LUA_PATH", "/nonexistent", 1);
    assert_refused("resque-lua -q x", "'/nonexistent', but there is no resque.lua: No such file");
    assert_refused("resque-lua perform C", "RESQUE_LUA_PATH");
    assert_int_equal(parse("resque-lua config"), 0);
}

static void test_bad_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "-n abc",           "-n 0",   "-n -1",    "-n 1.5", "-n 0x2",        "-n 1k",
        "-i nan",           "-i inf", "-i 1e400", "-i 5x",  "-n 9999999999", "--max-payload 1T",
        "--max-payload 10", "-i=5"};
    char line[128];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(line, sizeof line, "resque-lua -q x %s", bad[i]);
        assert_refused(line, " is '");
    }
    setenv("COUNT", "abc", 1);
    assert_refused("resque-lua -q x", "COUNT is 'abc', which is not a whole number from 1 to 1000");
    assert_int_equal(parse("resque-enqueue q C"), 0); /* not its business */
    assert_refused("resque-lua -q x --log-format xml", "--log-format is 'xml'");
    assert_refused("resque-lua -q x --log-format tex", "text|json");
    const char *const crash[] = {"requeue",     "requeue:",     "requeue:0",   "requeue:1001",
                                 "requeue:1.5", "requeue:0x1",  "requeue:-1",  "Fail",
                                 "requeue:1s",  "requeue:1e99", "requeue:3,4", "requeue:+1"};
    for (size_t i = 0; i < sizeof crash / sizeof crash[0]; i++) {
        snprintf(line, sizeof line, "resque-lua -q x --on-crash=%s", crash[i]);
        assert_refused(line, "hint: fail, or requeue:N with N from 1 to 1000");
    }
}

static void test_unknown_names_are_answered_with_near_ones(void **state)
{
    (void)state;
    assert_refused("resque-lua --queue x", "did you mean --queues?");
    assert_refused("resque-lua --blokcing", "did you mean --blocking?");
    assert_refused("resque-lua --zzzzzzzz", "there is no option --zzzzzzzz");
    assert_refused("resque-lua -Z", "there is no option -Z");
    assert_refused("resque-lua enqeue", "did you mean `resque-lua enqueue`?");
    assert_refused("resque-lua wrok", "did you mean `resque-lua work`?");
    assert_refused("resque-lua xyzzy", "there is no command 'xyzzy'");
    assert_refused("resque-lua \033[31m", "there is no command '\\x1B[31m'");
    assert_refused("resque-lua -n", "-n needs a value");
    assert_refused("resque-lua -q x --count", "--count needs a value");
    assert_refused("resque-lua job --count 3 ID", "--count is no option of `job`");
    assert_refused("resque-lua work mail", "`work` does not know what to do with 'mail'");
    assert_refused("resque-lua --redis-password x", "there is no option --redis-password");
}

static void test_arguments(void **state)
{
    (void)state;
    assert_int_equal(parse("/usr/bin/resque-enqueue mail -v work -- --track -5 -"), 0);
    assert_int_equal(options.command, COMMAND_ENQUEUE);
    assert_int_equal(options.argument_count, 5);
    assert_string_equal(options.arguments[1], "work");
    assert_string_equal(options.arguments[2], "--track");
    assert_null(options.arguments[5]);
    assert_int_equal(parse("resque-lua -p x enqueue mail C -5 n:=-1 - --track --wait=3 --id=7"), 0);
    assert_int_equal(options.command, COMMAND_ENQUEUE);
    assert_int_equal(options.argument_count, 5);
    assert_string_equal(options.arguments[2], "-5");
    assert_string_equal(text_of("wait"), "3");
    assert_string_equal(text_of("id"), "7");
    assert_string_equal(text_of("track"), "1");
    assert_null(text_of("class"));
    assert_int_equal(parse("resque-lua job ID --wait"), 0);
    assert_string_equal(text_of("wait"), "inf");
    assert_int_equal(options.argument_count, 1);
    assert_int_equal(parse("resque-lua enqueue q C --rate 20/s"), 0);
    assert_string_equal(text_of("rate"), "20");
    assert_string_equal(text_of("batch"), "500");
}

static void test_help_and_version_do_not_read_settings(void **state)
{
    (void)state;
    setenv("COUNT", "abc", 1);
    setenv("REDIS_BACKEND", "gopher://x", 1);
    assert_int_equal(parse("resque-lua --help"), 0);
    assert_int_equal(options.command, COMMAND_HELP);
    assert_int_equal(options.argument_count, 0);
    assert_int_equal(parse("resque-enqueue q C -h"), 0);
    assert_int_equal(options.command, COMMAND_HELP);
    assert_string_equal(options.arguments[0], "enqueue");
    assert_int_equal(parse("resque-lua job --version"), 0);
    assert_int_equal(options.command, COMMAND_VERSION);
    assert_int_equal(parse("resque-lua help job"), 0);
    assert_string_equal(options.arguments[0], "job");
    assert_refused("resque-lua help job work", "`help` does not know what to do with 'work'");
}

static void test_prefix(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua config -p a:b"), 0);
    assert_string_equal(options.prefix, "a:b:");
    assert_int_equal(parse("resque-lua config -p a:"), 0);
    assert_string_equal(options.prefix, "a:");
    assert_int_equal(parse("resque-lua config --prefix="), 0);
    assert_string_equal(options.prefix, "");
    setenv("PREFIX", "", 1);
    assert_int_equal(parse("resque-lua config"), 0);
    assert_string_equal(options.prefix, "resque:");
}

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

static void test_colour(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua config"), 0);
    assert_true(options.colour);
    setenv("NO_COLOR", "0", 1); /* no-color.org: whatever it says */
    assert_int_equal(parse("resque-lua config"), 0);
    assert_false(options.colour);
    assert_string_equal(text_of("no-color"), "1");
    assert_int_equal(parse("resque-lua help"), 0);
    assert_false(options.colour);
    setenv("NO_COLOR", "", 1);
    setenv("TERM", "dumb", 1);
    assert_int_equal(parse("resque-lua config"), 0);
    assert_false(options.colour);
}

static void test_rows_have_unique_names(void **state)
{
    (void)state;
    const char *flag, *other, *text;
    char type;
    assert_int_equal(parse("resque-lua config"), 0);
    for (size_t i = 0; options_row(&options, i, &flag, &type, &text); i++)
        for (size_t j = 0; flag && j < i; j++)
            if (options_row(&options, j, &other, &type, &text) && other)
                assert_string_not_equal(flag, other);
    assert_false(options_row(&options, options_rows(), &flag, &type, &text));
}

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int distance;
    } rows[] = {{"", "", 0},         {"", "abc", 3},         {"abc", "", 3},
                {"work", "work", 0}, {"wrok", "work", 1},    {"kitten", "sitting", 3},
                {"ab", "ba", 1},     {"queue", "queues", 1}, {"abcdef", "fedcba", 5}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(suggest_distance(rows[i].a, rows[i].b), rows[i].distance);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        ROW(test_defaults),
        ROW(test_every_variable_and_its_flag),
        ROW(test_flag_beats_environment_beats_file),
        ROW(test_the_stronger_source_wins_over_the_first_name),
        ROW(test_env_file_forms),
        ROW(test_env_file_errors_name_the_line),
        ROW(test_what_a_shell_would_take_off_is_refused),
        ROW(test_what_is_no_leftover_of_a_shell),
        ROW(test_empty_variables_count_as_not_given),
        ROW(test_words_that_mean_off),
        ROW(test_interval_zero_switches_blocking_off),
        ROW(test_verbosity),
        ROW(test_no_queue),
        ROW(test_a_worker_needs_classes),
        ROW(test_the_stronger_of_include_and_no_include),
        ROW(test_lua_path_is_looked_at_where_it_is_used),
        ROW(test_bad_numbers),
        ROW(test_unknown_names_are_answered_with_near_ones),
        ROW(test_arguments),
        ROW(test_help_and_version_do_not_read_settings),
        ROW(test_prefix),
        ROW(test_which_redis),
        ROW(test_passwords_are_found_and_hidden),
        ROW(test_password_in_the_users_place),
        ROW(test_misplaced_secrets_are_not_quoted),
        ROW(test_password_file),
        ROW(test_env_file_secrets_leave_the_environment),
        ROW(test_colour),
        ROW(test_rows_have_unique_names),
        ROW(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
