/* options.c - puts flags, environment, --env-file and defaults together into one struct options.
 *
 * Not here: the table (table.c), argv (flags.c), one value's check (value.c), APP_INCLUDE
 * (include.c), where Redis is (redis.c), what is shown to people (help.c, config.c, completion.c).
 */
#include "options/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "options/internal.h"
#include "os/folder.h"

#define ERROR_SIZE 512
#define MEMORY_LEAST ((size_t)1 << 20) /* bytes that a job's Lua needs at least */

/* --- where values come from --- */

/* The first variable of row `i` that is set and not empty and comes from `source`; NULL: none. */
static const char *find_variable(const struct options_parse *p, size_t i,
                                 enum options_source source)
{
    const struct options_setting *s = &options_settings[i];
    for (size_t n = 0; n < 2 && s->variables[n]; n++) {
        const char *text = getenv(s->variables[n]);
        bool from_file = env_file_gave(&p->file, s->variables[n]);
        if (text && *text && from_file == (source == OPTIONS_ENV_FILE))
            return s->variables[n];
    }
    return NULL;
}

/* Names the quotes or the comment that a value has kept of a line written for a shell: docker's
 * --env-file keeps both, systemd's and ours a comment. NULL: neither. */
static const char *shell_leftover(const char *text)
{
    size_t len = strlen(text);
    if (len > 1 && (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0])
        return "quotes around it";
    return strstr(text, " #") || strstr(text, "\t#") ? "a comment behind it" : NULL;
}

/* Refuses quotes and comments in values: as a part of a queue's name they would be hard to see. A
 * password may look like anything, so it is not checked. */
static int check_leftover(struct options_parse *p, size_t i, const char *variable)
{
    const char *leftover = shell_leftover(getenv(variable));
    const struct options_setting *s = &options_settings[i];
    if (!leftover || (s->traits & OPTIONS_PRESENT) || i == options_find("redis-password"))
        return 0;
    return options_fail(p,
                        "%s has %s, which would be part of the value\n"
                        "hint: docker's --env-file keeps them: write NAME=value without quotes, "
                        "and comments on lines of their own; a flag takes a value as it is",
                        variable, leftover);
}

static int read_variable(struct options_parse *p, size_t i)
{
    enum options_source source = OPTIONS_ENVIRONMENT;
    const char *variable = find_variable(p, i, source);
    if (!variable) {
        source = OPTIONS_ENV_FILE;
        variable = find_variable(p, i, source);
    }
    if (!variable)
        return 0;
    if (check_leftover(p, i, variable) < 0)
        return -1;
    return options_take(p, i, getenv(variable), source, variable, variable);
}

/* Variables of other commands are not looked at: a bad COUNT is no reason not to enqueue. */
static int read_environment(struct options_parse *p)
{
    for (size_t i = 0; i < options_setting_count; i++) {
        bool wanted = options_settings[i].commands & OPTIONS_BIT(p->options->command);
        if (wanted && p->options->values[i].source != OPTIONS_FLAG && read_variable(p, i) < 0)
            return -1;
    }
    return 0;
}

static int read_env_file(struct options_parse *p)
{
    const char *path = p->options->values[options_find("env-file")].text;
    char why[ERROR_SIZE];
    if (!path || env_file_load(&p->file, path, why, sizeof why) == 0)
        return 0;
    return options_fail(p, "--env-file: %s\nhint: one NAME=value per line, # begins a comment",
                        why);
}

static void set_defaults(struct options *options)
{
    options->values = memory_get(options_setting_count * sizeof *options->values);
    options->warnings = memory_get(sizeof *options->warnings);
    for (size_t i = 0; i < options_setting_count; i++)
        options_replace(options, i, options_settings[i].fallback);
}

/* --- from texts to the fields of the struct --- */

static const struct options_value *value_of(const struct options *options, const char *flag)
{
    return &options->values[options_find(flag)];
}

static bool is_on(const struct options *options, const char *flag)
{
    const char *text = value_of(options, flag)->text;
    return text && *text == '1';
}

static void fill_field(struct options *options, size_t i)
{
    const struct options_setting *s = &options_settings[i];
    const char *text = options->values[i].text;
    void *field = (char *)options + s->field;
    switch (s->type) {
    case OPTIONS_INTEGER:
        *(int *)field = (int)strtol(text, NULL, 10);
        break;
    case OPTIONS_SECONDS:
    case OPTIONS_RATE:
        *(double *)field = strtod(text, NULL);
        break;
    case OPTIONS_SIZE:
        *(size_t *)field = strtoull(text, NULL, 10);
        break;
    case OPTIONS_SWITCH:
        *(bool *)field = text && *text == '1';
        break;
    case OPTIONS_CRASH:
        *(int *)field = *text == 'r' ? atoi(strchr(text, ':') + 1) : 0;
        break;
    default:
        *(const char **)field = text;
    }
}

static void fill_fields(struct options *options)
{
    for (size_t i = 0; i < options_setting_count; i++)
        if (options_settings[i].field)
            fill_field(options, i);
}

static void warn(struct options *options, const char *text)
{
    size_t count = 0;
    while (options->warnings[count])
        count++;
    options->warnings = memory_grow(options->warnings, (count + 2) * sizeof *options->warnings);
    options->warnings[count] = memory_copy(text, strlen(text));
    options->warnings[count + 1] = NULL;
}

/* --- what one row alone cannot say --- */

/* The strongest source decides; within it -vv, -v, --quiet. */
static void settle_verbosity(struct options *options)
{
    static const struct {
        const char *flag;
        int verbosity;
    } rows[] = {{"very-verbose", 2}, {"verbose", 1}, {"quiet", -1}};
    enum options_source strongest = OPTIONS_DEFAULT;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum options_source source = value_of(options, rows[i].flag)->source;
        if (is_on(options, rows[i].flag) && source > strongest) {
            strongest = source;
            options->output.verbosity = rows[i].verbosity;
        }
    }
}

static void settle_waiting(struct options *options)
{
    const struct options_value *blocking = value_of(options, "blocking");
    if (is_on(options, "burst")) {
        options_replace(options, options_find("interval"), "0");
        options->values[options_find("interval")].source = OPTIONS_FLAG;
        options->work.interval = 0;
    }
    if (!options->work.blocking && blocking->variable)
        warn(options, "BLOCKING says no, so the worker polls (php-resque takes any value as yes)");
    if (options->work.blocking && options->work.interval == 0) {
        warn(options,
             "INTERVAL=0 works until the queues are empty, so BLOCKING has no meaning and is "
             "ignored");
        options->work.blocking = false;
        options_replace(options, options_find("blocking"), "0");
    }
}

static void settle_prefix(struct options *options)
{
    size_t len = strlen(options->fleet.prefix), row = options_find("prefix");
    if (len == 0 || options->fleet.prefix[len - 1] == ':')
        return;
    char *whole = memory_copy(options->fleet.prefix, len + 1);
    whole[len] = ':';
    whole = memory_grow(whole, len + 2);
    whole[len + 1] = '\0';
    options_replace(options, row, whole);
    free(whole);
    options->fleet.prefix = options->values[row].text;
}

static bool is_separator(char c)
{
    return c == ',' || isspace((unsigned char)c);
}

/* Counts the entries of a queue list that name something; a list of !skip alone names nothing. */
static int count_queues(const char *list)
{
    int count = 0;
    for (const char *at = list; at && *at;) {
        while (is_separator(*at))
            at++;
        count += *at && *at != '!';
        at += strcspn(at, ",");
    }
    return count;
}

static int check_queues(struct options_parse *p)
{
    if (p->options->command != COMMAND_WORK || count_queues(p->options->work.queues) > 0)
        return 0;
    const char *why = p->options->work.queues && strchr(p->options->work.queues, '!')
                          ? "the list only names queues to skip"
                          : "no queue is named";
    return options_fail(p,
                        "%s. Set QUEUE env var containing the list of queues to work.\n"
                        "hint: QUEUE=mail,default resque-lua   or   resque-lua -q '*'",
                        why);
}

/* Refuses a memory limit in which a job could not even report its failure. */
static int check_memory(struct options_parse *p)
{
    if (!p->options->limits.memory || p->options->limits.memory >= MEMORY_LEAST)
        return 0;
    return options_fail(p,
                        "JOB_MEMORY or --job-memory is %zu bytes, with which no job can begin\n"
                        "hint: 1M at least; 0: no limit",
                        p->options->limits.memory);
}

/* Refuses a RESQUE_PRUNE shorter than a heartbeat: living workers would count as dead, and with
 * ON_CRASH their jobs would run twice. */
static int check_prune(struct options_parse *p)
{
    const struct options *options = p->options;
    if (options->command != COMMAND_WORK || options->fleet.prune > options->fleet.heartbeat)
        return 0;
    return options_fail(p,
                        "RESQUE_PRUNE (%g s) is no longer than RESQUE_HEARTBEAT (%g s): living "
                        "workers would count as dead\n"
                        "hint: several heartbeats, the same in the whole fleet",
                        options->fleet.prune, options->fleet.heartbeat);
}

/* Refuses a folder without our Lua files, or with those of another version: they would fail much
 * later, with errors that do not say why. */
static int check_lua_path(struct options_parse *p)
{
    const struct options *options = p->options;
    char file[4096], shown[OPTIONS_SHOWN];
    bool used = options->command == COMMAND_WORK || options_command_module(options->command);
    if (!used || !options->scripts.lua_path)
        return 0;
    snprintf(file, sizeof file, "%s/resque.lua", options->scripts.lua_path);
    if (access(file, R_OK) == 0)
        return 0;
    return options_fail(p,
                        "RESQUE_LUA_PATH or --lua-path is '%s', but there is no resque.lua: %s\n"
                        "hint: leave it out for the built-in Lua files",
                        text_printable(shown, sizeof shown, options->scripts.lua_path,
                                       strlen(options->scripts.lua_path)),
                        strerror(errno));
}

/* --- all together --- */

/* Reads the environment itself, because --help does not read the rows. */
static void settle_colour(struct options *options)
{
    const char *terminal = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    options->output.colour = !is_on(options, "no-color") && !(no_colour && *no_colour) &&
                             !(terminal && strcmp(terminal, "dumb") == 0);
}

static int settle(struct options_parse *p)
{
    struct options *options = p->options;
    fill_fields(options);
    settle_colour(options);
    settle_prefix(options);
    settle_verbosity(options);
    settle_waiting(options);
    options->isolation.sandbox_strict = strcmp(options->isolation.sandbox, "strict") == 0;
    options->output.log_json = strcmp(value_of(options, "log-format")->text, "json") == 0;
    options->stop.term_timeout_given = value_of(options, "term-timeout")->source != OPTIONS_DEFAULT;
    return check_queues(p) < 0 || options_settle_include(p) < 0 || check_memory(p) < 0 ||
                   check_prune(p) < 0 || check_lua_path(p) < 0
               ? -1
               : options_settle_redis(p);
}

static int parse(struct options_parse *p, int argc, char **argv)
{
    if (options_read_flags(p, argc, argv) < 0)
        return -1;
    if (p->options->command == COMMAND_HELP || p->options->command == COMMAND_VERSION) {
        fill_fields(p->options);
        settle_colour(p->options);
        return 0;
    }
    if (read_env_file(p) < 0 || read_environment(p) < 0)
        return -1;
    return settle(p);
}

int options_parse(struct options *options, int argc, char **argv, char *err, size_t err_size)
{
    struct options_parse p = {.options = options, .err = err, .err_size = err_size};
    *options = (struct options){.command = COMMAND_WORK, .scripts.folder = folder_name()};
    set_defaults(options);
    int done = parse(&p, argc, argv);
    options_hide_secrets(options);
    env_file_clear(&p.file);
    return done;
}

void options_clear(struct options *options)
{
    for (size_t i = 0; options->values && i < options_setting_count; i++)
        options_replace(options, i, NULL);
    for (char **warning = options->warnings; warning && *warning; warning++)
        free(*warning);
    free(options->values);
    free(options->warnings);
    free(options->arguments);
    free(options->scripts.folder);
    address_clear(&options->address);
    *options = (struct options){.command = COMMAND_WORK};
}

/* --- the table as data --- */

size_t options_rows(void)
{
    return options_setting_count;
}

bool options_row(const struct options *options, size_t i, const char **long_flag, char *type,
                 const char **text)
{
    static const char types[] = {
        [OPTIONS_TEXT] = 's',    [OPTIONS_FILE] = 's',    [OPTIONS_CHOICE] = 's',
        [OPTIONS_INTEGER] = 'i', [OPTIONS_SECONDS] = 'd', [OPTIONS_RATE] = 'd',
        [OPTIONS_SIZE] = 'z',    [OPTIONS_SWITCH] = 'b',  [OPTIONS_CRASH] = 's',
    };
    if (i >= options_setting_count)
        return false;
    const struct options_setting *s = &options_settings[i];
    bool secret = s->traits & OPTIONS_SECRET;
    *long_flag = secret ? NULL : s->flag;
    *type = types[s->type];
    *text = secret ? NULL : options->values[i].text;
    return true;
}

const char *options_command_name(enum command command)
{
    return options_commands[command].name;
}

const char *options_command_module(enum command command)
{
    return options_commands[command].module;
}
