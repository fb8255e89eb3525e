/* help.c - --help and `help`, made from the table. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/suggest.h"
#include "base/text.h"
#include "base/version.h"
#include "options/internal.h"

#define LEFT 28 /* columns of names, before what they mean */
#define EVERY (OPTIONS_BIT(COMMAND_COUNT) - 1)

static size_t width(void)
{
    struct winsize w;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
        return 80;
    return w.ws_col < 60 ? 60 : w.ws_col > 100 ? 100 : w.ws_col;
}

static void heading(const struct options *options, const char *text)
{
    bool bold = options->output.colour && isatty(STDOUT_FILENO);
    printf("\n%s%s:%s\n", bold ? "\033[1m" : "", text, bold ? "\033[0m" : "");
}

/* Two columns; the right one is wrapped between words. */
static void row(const char *left, const char *right)
{
    size_t room = width() - LEFT;
    printf("  %-*s", LEFT - 3, left);
    if (strlen(left) > LEFT - 3)
        printf("\n%*s", LEFT - 1, "");
    while (strlen(right) > room) {
        size_t cut = room;
        while (cut > 0 && right[cut] != ' ')
            cut--;
        printf(" %.*s\n%*s", (int)cut, right, LEFT - 1, "");
        right += cut + 1;
    }
    printf(" %s\n", right);
}

/* "  -q, --queues LIST" and "what it means [QUEUES, QUEUE; default 5]". */
static void setting_row(const struct options_setting *s)
{
    char left[64], right[512], letter[8] = "    ";
    bool secret = s->traits & OPTIONS_SECRET, number = s->type != OPTIONS_SWITCH && s->fallback;
    if (s->letter)
        snprintf(letter, sizeof letter, "-%c, ", s->letter);
    if (secret)
        snprintf(left, sizeof left, "    (%s)", s->variables[0]);
    else
        snprintf(left, sizeof left, "%s--%s%s%s%s", letter, s->flag,
                 s->traits & OPTIONS_BARE ? "[="
                 : s->argument            ? " "
                                          : "",
                 s->argument ? s->argument : "", s->traits & OPTIONS_BARE ? "]" : "");
    int len = snprintf(right, sizeof right, "%s", s->help);
    if ((!s->variables[0] && !number) || secret)
        return row(left, right);
    const char *first = s->variables[0], *second = first ? s->variables[1] : NULL;
    snprintf(right + len, sizeof right - (size_t)len, " [%s%s%s%s%s%s]", first ? first : "",
             second ? ", " : "", second ? second : "", first && number ? "; " : "",
             number ? "default " : "", number ? s->fallback : "");
    row(left, right);
}

static void settings(const struct options *options, const char *title, enum command command,
                     bool global)
{
    bool any = false;
    for (size_t i = 0; i < options_setting_count; i++) {
        const struct options_setting *s = &options_settings[i];
        if (!(s->commands & OPTIONS_BIT(command)) || (s->commands == EVERY) != global)
            continue;
        if (!any)
            heading(options, title);
        any = true;
        setting_row(s);
    }
}

static void commands(const struct options *options)
{
    heading(options, "Commands");
    for (int i = 0; i < COMMAND_COUNT; i++) {
        char left[128];
        bool only_options = strcmp(options_commands[i].synopsis, "[options]") == 0;
        const char *synopsis = only_options ? "" : options_commands[i].synopsis;
        int len = (int)strcspn(synopsis, "["); /* only what must be there */
        if (synopsis[0] == '[')
            len = 0;
        snprintf(left, sizeof left, "%s %.*s", options_commands[i].name, len, synopsis);
        row(left, options_commands[i].summary);
    }
}

static void exit_codes(const struct options *options)
{
    heading(options, "Exit codes");
    puts("  0 done  1 failed  2 usage, settings  3 APP_INCLUDE  4 Redis  5 --wait too long");
}

static void overview(const struct options *options)
{
    printf("resque-lua %s, a Resque worker whose jobs are Lua scripts\n\n"
           "  APP_INCLUDE=jobs.lua QUEUE=mail resque-lua\n"
           "  resque-enqueue mail SendMail '{\"to\":\"chris@example.org\"}'\n",
           VERSION_TEXT);
    commands(options);
    settings(options, "Options of a worker", COMMAND_WORK, false);
    settings(options, "Options of every command", COMMAND_WORK, true);
    exit_codes(options);
    puts("\nA flag beats the environment [NAME], which beats --env-file, which beats the default.\n"
         "More: resque-lua help COMMAND; man resque-lua, resque-enqueue, resque-lua-jobs");
}

static void one_command(const struct options *options, enum command command)
{
    const struct options_command *c = &options_commands[command];
    printf("resque-lua %s %s\n\n  %s\n", c->name, c->synopsis, c->summary);
    settings(options, "Options", command, false);
    settings(options, "Options of every command", command, true);
    if (!c->examples)
        return;
    heading(options, "Examples");
    fputs(c->examples, stdout);
}

int options_help(const struct options *options, char *err, size_t err_size)
{
    const char *name = options->arguments[0], *best = NULL;
    char shown[OPTIONS_SHOWN];
    if (!name) {
        overview(options);
        return 0;
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(options_commands[i].name, name) == 0) {
            one_command(options, (enum command)i);
            return 0;
        }
        suggest_consider(name, options_commands[i].name, &best);
    }
    snprintf(err, err_size, "there is no command '%s'\nhint: %s%s",
             text_printable(shown, sizeof shown, name, strlen(name)),
             best ? "did you mean `resque-lua help " : "`resque-lua help` names them",
             best ? best : "");
    if (best)
        strncat(err, "`?", err_size - strlen(err) - 1);
    return -1;
}
