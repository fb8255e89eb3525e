/* config.c - `config`: each effective setting and where it comes from. Passwords are
 * masked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "options/internal.h"
#include "os/seccomp.h"

#define SHOWN 1024

/* Where a value comes from, as the person wrote it there. */
static const char *origin(const struct options *options, size_t i, char *out, size_t size)
{
    const struct options_value *value = &options->values[i];
    switch (value->source) {
    case OPTIONS_FLAG:
        if (value->variable)
            snprintf(out, size, "%s", value->variable);
        else
            snprintf(out, size, "--%s", options_settings[i].flag);
        break;
    case OPTIONS_ENVIRONMENT:
        snprintf(out, size, "%s", value->variable);
        break;
    case OPTIONS_ENV_FILE:
        snprintf(out, size, "%s in %s", value->variable,
                 options->values[options_find("env-file")].text);
        break;
    default:
        snprintf(out, size, "default");
    }
    return out;
}

static const char *shown(const struct options *options, size_t i, char *out, size_t size)
{
    const struct options_setting *s = &options_settings[i];
    const char *text = options->values[i].text;
    if (s->traits & OPTIONS_SECRET)
        text = options->values[i].source == OPTIONS_DEFAULT ? NULL : "***";
    if (s->type == OPTIONS_SWITCH)
        text = text && *text == '1' ? "on" : "off";
    if (s->field == offsetof(struct options, isolation.sandbox) &&
        options->isolation.sandbox_strict && !seccomp_filter_is_built())
        text = "strict (without seccomp)";
    return text ? text_printable(out, size, text, strlen(text)) : "-";
}

static bool is_setting(size_t i)
{
    return !(options_settings[i].traits & OPTIONS_FLAGGED);
}

static void print_row(bool terminal, const char *name, const char *value, const char *from)
{
    if (terminal)
        printf("%-22s%-32s%s\n", name, value, from);
    else
        printf("%s\t%s\t%s\n", name, value, from);
}

static void print_table(const struct options *options)
{
    bool terminal = isatty(STDOUT_FILENO), bold = terminal && options->output.colour;
    char value[SHOWN], from[SHOWN], clean[SHOWN];
    if (terminal) {
        fputs(bold ? "\033[1m" : "", stdout);
        print_row(true, "SETTING", "VALUE", bold ? "FROM\033[0m" : "FROM");
    }
    for (size_t i = 0; i < options_setting_count; i++) {
        if (!is_setting(i))
            continue;
        origin(options, i, from, sizeof from);
        print_row(terminal, options_settings[i].flag, shown(options, i, value, sizeof value),
                  text_printable(clean, sizeof clean, from, strlen(from)));
    }
}

static void put_json_string(const char *text)
{
    size_t len = strlen(text);
    char *clean = memory_copy(text, len);
    text_clean_utf8(clean, len);
    putchar('"');
    for (const char *c = clean; *c; c++)
        if ((unsigned char)*c < 0x20)
            printf("\\u%04x", (unsigned)*c);
        else
            printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
    putchar('"');
    free(clean);
}

static void put_json_value(const struct options *options, size_t i)
{
    const struct options_setting *s = &options_settings[i];
    const char *text = options->values[i].text;
    bool number =
        s->type == OPTIONS_INTEGER || s->type == OPTIONS_SECONDS || s->type == OPTIONS_SIZE;
    if (s->traits & OPTIONS_SECRET)
        fputs(options->values[i].source == OPTIONS_DEFAULT ? "null" : "\"***\"", stdout);
    else if (s->type == OPTIONS_SWITCH)
        fputs(text && *text == '1' ? "true" : "false", stdout);
    else if (!text)
        fputs("null", stdout);
    else if (number)
        fputs(text, stdout);
    else
        put_json_string(text);
}

static void print_json(const struct options *options)
{
    char from[SHOWN];
    const char *before = "{";
    for (size_t i = 0; i < options_setting_count; i++) {
        if (!is_setting(i))
            continue;
        printf("%s\"%s\":{\"value\":", before, options_settings[i].flag);
        put_json_value(options, i);
        fputs(",\"from\":", stdout);
        put_json_string(origin(options, i, from, sizeof from));
        putchar('}');
        before = ",";
    }
    puts("}");
}

void options_config(const struct options *options)
{
    if (options->output.json)
        print_json(options);
    else
        print_table(options);
}
