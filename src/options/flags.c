/* flags.c - the first pass over argv: flags, plain arguments, and which command is meant.
 */
#include "options/internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/suggest.h"

static size_t find_flag(const char *name, size_t len)
{
    size_t i = 0;
    for (; i < options_setting_count; i++)
        if (!(options_settings[i].traits & OPTIONS_SECRET) &&
            strlen(options_settings[i].flag) == len &&
            strncmp(options_settings[i].flag, name, len) == 0)
            break;
    return i;
}

static size_t find_letter(char letter)
{
    size_t i = 0;
    while (i < options_setting_count && options_settings[i].letter != letter)
        i++;
    return i;
}

static int unknown_flag(struct options_parse *p, const char *name, size_t len)
{
    char shown[OPTIONS_SHOWN];
    const char *best = NULL;
    options_quote(shown, name, len);
    for (size_t i = 0; i < options_setting_count; i++)
        if (!(options_settings[i].traits & OPTIONS_SECRET))
            suggest_consider(shown, options_settings[i].flag, &best);
    if (best)
        return options_fail(p, "there is no option --%s\nhint: did you mean --%s?", shown, best);
    return options_fail(p, "there is no option --%s\nhint: `resque-lua help` names them", shown);
}

static int unknown_command(struct options_parse *p, const char *word)
{
    char shown[OPTIONS_SHOWN];
    const char *best = NULL;
    options_quote(shown, word, strlen(word));
    for (int i = 0; i < COMMAND_COUNT; i++)
        suggest_consider(shown, options_commands[i].name, &best);
    if (best)
        return options_fail(p, "there is no command '%s'\nhint: did you mean `resque-lua %s`?",
                            shown, best);
    return options_fail(p, "there is no command '%s'\nhint: `resque-lua help` names them", shown);
}

/* Keeps one flag; a second -v is -vv. */
static int take_flag(struct options_parse *p, size_t i, const char *text, const char *from)
{
    const struct options_setting *s = &options_settings[i];
    if (s->letter == 'v' && p->options->values[i].source == OPTIONS_FLAG)
        i = options_find("very-verbose");
    if (!text && (s->traits & OPTIONS_BARE)) { /* --wait: as long as it takes */
        options_replace(p->options, i, "inf");
        p->options->values[i].source = OPTIONS_FLAG;
        return 0;
    }
    return options_take(p, i, text ? text : "1", OPTIONS_FLAG, NULL, from);
}

static bool takes_value(size_t i)
{
    return options_settings[i].type != OPTIONS_SWITCH &&
           !(options_settings[i].traits & OPTIONS_BARE);
}

static int missing_value(struct options_parse *p, size_t i, const char *from)
{
    return options_fail(p, "%s needs a value\nhint: %s %s", from, from,
                        options_settings[i].argument);
}

/* "--name", "--name=value" or "--name value"; moves *at over what it used. */
static int read_long(struct options_parse *p, char **argv, int *at)
{
    const char *name = argv[*at] + 2, *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name), i = find_flag(name, len);
    char from[64];
    if (i == options_setting_count)
        return unknown_flag(p, name, len);
    snprintf(from, sizeof from, "--%s", options_settings[i].flag);
    const char *value = equals ? equals + 1 : NULL;
    if (!value && takes_value(i)) {
        value = argv[*at + 1];
        if (!value)
            return missing_value(p, i, from);
        ++*at;
    }
    return take_flag(p, i, value, from);
}

/* "-v", "-vb", "-n5", "-n 5"; moves *at over what it used. */
static int read_letters(struct options_parse *p, char **argv, int *at)
{
    for (const char *letter = argv[*at] + 1; *letter; letter++) {
        size_t i = find_letter(*letter);
        char from[3] = {'-', *letter, '\0'}, shown[OPTIONS_SHOWN];
        if (i == options_setting_count)
            return options_fail(p, "there is no option -%s\nhint: `resque-lua help` names them",
                                options_quote(shown, letter, 1));
        if (!takes_value(i)) {
            if (take_flag(p, i, NULL, from) < 0)
                return -1;
            continue;
        }
        const char *value = letter[1] ? letter + 1 : argv[++*at];
        return value ? take_flag(p, i, value, from) : missing_value(p, i, from);
    }
    return 0;
}

/* The first plain argument is the command, unless the program's name was. */
static int read_plain(struct options_parse *p, char *word)
{
    struct options *options = p->options;
    if (p->command_known) {
        options->arguments[options->argument_count++] = word;
        return 0;
    }
    for (int i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(word, options_commands[i].name) == 0) {
            options->command = (enum command)i;
            p->command_known = true;
            return 0;
        }
    return unknown_command(p, word);
}

/* "-" means standard input and "-5" is a number: neither is a flag. */
static bool is_flag(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !isdigit((unsigned char)word[1]);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A flag of another command is refused by the name of one that has it. */
static int check_flags(struct options_parse *p)
{
    for (size_t i = 0; i < options_setting_count; i++) {
        const struct options_setting *s = &options_settings[i];
        if (p->options->values[i].source != OPTIONS_FLAG ||
            (s->commands & OPTIONS_BIT(p->options->command)))
            continue;
        int owner = 0;
        while (!(s->commands & OPTIONS_BIT(owner)))
            owner++;
        return options_fail(
            p,
            "--%s is no option of `%s`\nhint: `resque-lua %s` has it; "
            "`resque-lua help %s` names those of `%s`",
            s->flag, options_commands[p->options->command].name, options_commands[owner].name,
            options_commands[p->options->command].name, options_commands[p->options->command].name);
    }
    return 0;
}

static int check_argument_count(struct options_parse *p)
{
    const struct options_command *c = &options_commands[p->options->command];
    char shown[OPTIONS_SHOWN];
    if (c->arguments < 0 || p->options->argument_count <= c->arguments)
        return 0;
    const char *extra = p->options->arguments[c->arguments];
    return options_fail(p, "`%s` does not know what to do with '%s'\nhint: resque-lua %s %s",
                        c->name, options_quote(shown, extra, strlen(extra)), c->name, c->synopsis);
}

/* --help and --version on any command are those commands. */
static void turn_into_help(struct options_parse *p)
{
    struct options *options = p->options;
    bool help = options->values[options_find("help")].source == OPTIONS_FLAG;
    if (!help && options->values[options_find("version")].source != OPTIONS_FLAG)
        return;
    options->argument_count = 0;
    if (help && p->command_known && options->command != COMMAND_HELP)
        options->arguments[options->argument_count++] =
            (char *)options_commands[options->command].name;
    options->arguments[options->argument_count] = NULL;
    options->command = help ? COMMAND_HELP : COMMAND_VERSION;
}

int options_read_flags(struct options_parse *p, int argc, char **argv)
{
    struct options *options = p->options;
    bool flags_end = false;
    options->arguments = memory_get(((size_t)argc + 1) * sizeof *options->arguments);
    if (argc > 0 && strcmp(base_name(argv[0]), "resque-enqueue") == 0) {
        options->command = COMMAND_ENQUEUE;
        p->command_known = true;
    }
    for (int at = 1; at < argc; at++) {
        char *word = argv[at];
        int done = 0;
        if (!flags_end && strcmp(word, "--") == 0)
            flags_end = true;
        else if (flags_end || !is_flag(word))
            done = read_plain(p, word);
        else
            done = word[1] == '-' ? read_long(p, argv, &at) : read_letters(p, argv, &at);
        if (done < 0)
            return -1;
    }
    turn_into_help(p);
    if (options->command == COMMAND_HELP || options->command == COMMAND_VERSION)
        return check_argument_count(p);
    return check_flags(p) < 0 ? -1 : check_argument_count(p);
}
