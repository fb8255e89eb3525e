/* value.c - checks one setting's text and keeps its canonical form. Knows types, not
 * settings. */
#include "options/internal.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"

int options_fail(struct options_parse *p, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(p->err, p->err_size, format, list);
    va_end(list);
    return -1;
}

const char *options_quote(char out[OPTIONS_SHOWN], const char *text, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    const char *at = memrchr(text, '@', len);
    size_t word = strspn(text, letters),
           scheme = strncmp(text + word, "://", 3) == 0 ? word + 3 : 0;
    text_printable(out, OPTIONS_SHOWN, text, at ? scheme : len);
    size_t used = strlen(out);
    if (!at || used + sizeof "***" > OPTIONS_SHOWN)
        return out;
    memcpy(out + used, "***", sizeof "***");
    used += sizeof "***" - 1;
    text_printable(out + used, OPTIONS_SHOWN - used, at, len - (size_t)(at - text));
    return out;
}

bool options_is_off(const char *text)
{
    static const char *const off[] = {"", "0", "no", "false", "off"};
    for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
        if (strcasecmp(text, off[i]) == 0)
            return true;
    return false;
}

void options_replace(struct options *options, size_t i, const char *text)
{
    char *old = options->values[i].text;
    options->values[i].text = text ? memory_copy(text, strlen(text)) : NULL;
    if (old)
        explicit_bzero(old, strlen(old)); /* may be a password, or an address with one */
    free(old);
}

struct unit {
    const char *name;
    double factor;
};

static const struct unit time_units[] = {{"", 1},     {"s", 1},     {"ms", 0.001}, {"m", 60},
                                         {"h", 3600}, {"d", 86400}, {NULL, 0}};
static const struct unit size_units[] = {
    {"", 1}, {"K", 1024}, {"M", 1024.0 * 1024}, {"G", 1024.0 * 1024 * 1024}, {NULL, 0}};
static const struct unit rate_units[] = {{"", 1}, {"/s", 1}, {NULL, 0}};
static const struct unit no_units[] = {{"", 1}, {NULL, 0}};

static const struct unit *units_of(enum options_type type)
{
    switch (type) {
    case OPTIONS_SECONDS:
        return time_units;
    case OPTIONS_SIZE:
        return size_units;
    case OPTIONS_RATE:
        return rate_units;
    default:
        return no_units;
    }
}

/* A plain decimal number (no hex, inf, nan, blanks) and one of the units. */
static bool read_number(const char *text, const struct unit *units, double *out)
{
    char *end;
    if (!isdigit((unsigned char)text[0]) && !(text[0] == '.' && isdigit((unsigned char)text[1])))
        return false;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return false;
    double number = strtod(text, &end);
    for (; units->name; units++)
        if (strcasecmp(end, units->name) == 0) {
            *out = number * units->factor;
            return isfinite(*out);
        }
    return false;
}

/* The kind of value that the row takes, for the error. */
static const char *kind(enum options_type type)
{
    switch (type) {
    case OPTIONS_INTEGER:
        return "a whole number";
    case OPTIONS_SECONDS:
        return "a number of seconds (or 500ms, 30s, 5m, 2h, 1d)";
    case OPTIONS_SIZE:
        return "a number of bytes (or 64K, 16M, 1G)";
    default:
        return "a number (or 100/s)";
    }
}

static int wrong_number(struct options_parse *p, const struct options_setting *s, const char *shown,
                        const char *from)
{
    return options_fail(p,
                        "%s is '%s', which is not %s from %.15g to %.15g\n"
                        "hint: leave it out for the default%s%s",
                        from, shown, kind(s->type), s->min, s->max, s->fallback ? ", " : "",
                        s->fallback ? s->fallback : "");
}

static int canonical_number(struct options_parse *p, const struct options_setting *s,
                            const char *text, const char *from, char *out, size_t size)
{
    double number;
    char shown[OPTIONS_SHOWN];
    bool whole = s->type == OPTIONS_INTEGER || s->type == OPTIONS_SIZE;
    if (!read_number(text, units_of(s->type), &number) || number < s->min || number > s->max ||
        (s->type == OPTIONS_INTEGER && number != (double)(long long)number))
        return wrong_number(p, s, options_quote(shown, text, strlen(text)), from);
    snprintf(out, size, whole ? "%.0f" : "%.15g", number);
    return 0;
}

/* Is `word` one of those in "a|b|c"? */
static bool is_choice(const char *choices, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = choices; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (len && strncmp(at, word, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

static int check_choice(struct options_parse *p, const struct options_setting *s, const char *text,
                        const char *from)
{
    char shown[OPTIONS_SHOWN];
    if (is_choice(s->argument, text))
        return 0;
    options_quote(shown, text, strlen(text));
    return options_fail(p, "%s is '%s', which it cannot be\nhint: one of %s", from, shown,
                        s->argument);
}

static int canonical_crash(struct options_parse *p, const struct options_setting *s,
                           const char *text, const char *from, char *out, size_t size)
{
    static const char requeue[] = "requeue:";
    bool again = strncmp(text, requeue, sizeof requeue - 1) == 0;
    double times = 0;
    char shown[OPTIONS_SHOWN];
    if (again && read_number(text + sizeof requeue - 1, no_units, &times) && times >= s->min &&
        times <= s->max && times == (double)(int)times) {
        snprintf(out, size, "%s%d", requeue, (int)times);
        return 0;
    }
    snprintf(out, size, "fail");
    if (strcmp(text, "fail") == 0)
        return 0;
    options_quote(shown, text, strlen(text));
    return options_fail(p,
                        "%s is '%s', which it cannot be\nhint: fail, or requeue:N with N from "
                        "%.0f to %.0f",
                        from, shown, s->min, s->max);
}

static const char *canonical_switch(const struct options_setting *s, const char *text,
                                    enum options_source source)
{
    if ((s->traits & OPTIONS_PRESENT) && source != OPTIONS_FLAG)
        return *text ? "1" : "0";
    return options_is_off(text) ? "0" : "1";
}

int options_take(struct options_parse *p, size_t i, const char *text, enum options_source source,
                 const char *variable, const char *from)
{
    const struct options_setting *s = &options_settings[i];
    struct options_value *value = &p->options->values[i];
    char number[64];
    switch (s->type) {
    case OPTIONS_TEXT:
    case OPTIONS_FILE:
        break;
    case OPTIONS_CHOICE:
        if (check_choice(p, s, text, from) < 0)
            return -1;
        break;
    case OPTIONS_CRASH:
        if (canonical_crash(p, s, text, from, number, sizeof number) < 0)
            return -1;
        text = number;
        break;
    case OPTIONS_SWITCH:
        text = canonical_switch(s, text, source);
        break;
    default:
        if (canonical_number(p, s, text, from, number, sizeof number) < 0)
            return -1;
        text = number;
    }
    options_replace(p->options, i, text);
    value->source = source;
    value->variable = variable;
    return 0;
}
