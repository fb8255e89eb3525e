/* test_options.c - the command line: defaults, commands, what is refused and what is said then. */
/* needs: options/options.c options/flags.c options/value.c options/include.c options/redis.c */
/* needs: options/table.c options/env_file.c base/suggest.c options/include_list.c os/folder.c */
/* needs: redis/address.c redis/address_show.c */
/* needs: base/text.c base/memory.c base/plain.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/suggest.h"
#include "parsing.h"

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua -q mail"), 0);
    assert_int_equal(options.command, COMMAND_WORK);
    assert_string_equal(options.work.queues, "mail");
    assert_int_equal(options.work.count, 1);
    assert_true(options.work.interval == 5);
    assert_true(options.stop.term_timeout == 4 && !options.stop.term_timeout_given);
    assert_true(options.stop.pre_shutdown_timeout == 0);
    assert_true(options.fleet.heartbeat == 60 && options.fleet.prune == 300);
    assert_int_equal(options.work.max_payload, 16 * 1024 * 1024);
    assert_false(options.work.blocking || options.process.background || options.stop.term_child ||
                 options.output.log_json);
    assert_string_equal(options.fleet.prefix, "resque:");
    assert_string_equal(options.address.host, "localhost");
    assert_int_equal(options.address.port, 6379);
    assert_int_equal(options.address.db, 0);
    assert_string_equal(options.scripts.include, "jobs.lua");
    assert_null(options.process.pidfile);
    assert_null(options.warnings[0]);
}

static void test_interval_zero_switches_blocking_off(void **state)
{
    (void)state;
    setenv("BLOCKING", "1", 1);
    setenv("INTERVAL", "0", 1);
    assert_int_equal(parse("resque-lua -q x"), 0);
    assert_true(options.work.interval == 0 && !options.work.blocking);
    assert_non_null(strstr(options.warnings[0], "INTERVAL=0"));
    clean_environment();
    assert_int_equal(parse("resque-lua -q x --burst"), 0);
    assert_true(options.work.interval == 0);
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
        assert_int_equal(options.output.verbosity, rows[i].verbosity);
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
    assert_true(options.scripts.no_include && !options.scripts.include);
}

static void test_the_stronger_of_include_and_no_include(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua -q x --no-include"), 0);
    assert_true(options.scripts.no_include);
    assert_null(options.scripts.include);
    assert_null(text_of("include"));
    unsetenv("APP_INCLUDE");
    setenv("NO_INCLUDE", "1", 1);
    assert_int_equal(parse("resque-lua -q x -I jobs.lua"), 0);
    assert_false(options.scripts.no_include);
    assert_string_equal(options.scripts.include, "jobs.lua");
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
    assert_string_equal(options.fleet.prefix, "a:b:");
    assert_int_equal(parse("resque-lua config -p a:"), 0);
    assert_string_equal(options.fleet.prefix, "a:");
    assert_int_equal(parse("resque-lua config --prefix="), 0);
    assert_string_equal(options.fleet.prefix, "");
    setenv("PREFIX", "", 1);
    assert_int_equal(parse("resque-lua config"), 0);
    assert_string_equal(options.fleet.prefix, "resque:");
}

static void test_colour(void **state)
{
    (void)state;
    assert_int_equal(parse("resque-lua config"), 0);
    assert_true(options.output.colour);
    setenv("NO_COLOR", "0", 1); /* no-color.org: whatever it says */
    assert_int_equal(parse("resque-lua config"), 0);
    assert_false(options.output.colour);
    assert_string_equal(text_of("no-color"), "1");
    assert_int_equal(parse("resque-lua help"), 0);
    assert_false(options.output.colour);
    setenv("NO_COLOR", "", 1);
    setenv("TERM", "dumb", 1);
    assert_int_equal(parse("resque-lua config"), 0);
    assert_false(options.output.colour);
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
        ROW(test_colour),
        ROW(test_rows_have_unique_names),
        ROW(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
