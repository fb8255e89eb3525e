/* env_file.c - see env_file.h. */
#include "options/env_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define BLANKS " \t\r\n"
#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

bool env_file_gave(const struct env_file *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->names[i], name) == 0)
            return true;
    return false;
}

/* Sets a variable, unless the environment had it before the file was read. */
static void put(struct env_file *f, const char *name, const char *value)
{
    bool ours = env_file_gave(f, name);
    if (!ours && getenv(name))
        return;
    setenv(name, value, 1);
    if (ours)
        return;
    f->names = memory_grow(f->names, (f->count + 1) * sizeof *f->names);
    f->names[f->count++] = memory_copy(name, strlen(name));
}

static bool only_comment(const char *text)
{
    text += strspn(text, BLANKS);
    return *text == '\0' || *text == '#';
}

static char escaped(char c)
{
    return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

/* Reads a value in quotes in place. NULL, or what is wrong with it. */
static const char *unquote(char *value)
{
    char quote = value[0], *out = value, *in = value + 1;
    while (*in && *in != quote) {
        if (quote == '"' && *in == '\\' && in[1] && strchr("\"\\$`nt", in[1])) {
            *out++ = escaped(in[1]);
            in += 2;
        } else {
            *out++ = *in++;
        }
    }
    if (!*in)
        return "the quote is not closed on this line";
    if (!only_comment(in + 1))
        return "there is text after the closing quote";
    *out = '\0';
    return NULL;
}

static void trim_end(char *text)
{
    size_t len = strlen(text);
    while (len && strchr(BLANKS, text[len - 1]))
        text[--len] = '\0';
}

/* Takes one line apart. NULL, or what is wrong with it. */
static const char *read_line(struct env_file *f, char *line)
{
    char *name = line + strspn(line, BLANKS);
    if (only_comment(name))
        return NULL;
    if (strncmp(name, "export", 6) == 0 && (name[6] == ' ' || name[6] == '\t'))
        name += 6 + strspn(name + 6, BLANKS);
    size_t len = strspn(name, NAME_BYTES);
    if (len == 0 || name[len] != '=' || strchr("0123456789", name[0]))
        return "not NAME=value";
    name[len] = '\0';
    char *value = name + len + 1;
    const char *wrong = NULL;
    if (*value == '"' || *value == '\'')
        wrong = unquote(value);
    else
        trim_end(value);
    if (!wrong)
        put(f, name, value);
    return wrong;
}

int env_file_load(struct env_file *f, const char *path, char *err, size_t err_size)
{
    char *line = NULL;
    size_t room = 0;
    const char *wrong = NULL;
    *f = (struct env_file){0};
    FILE *in = fopen(path, "re");
    if (!in) {
        snprintf(err, err_size, "cannot read %s: %s", path, strerror(errno));
        return -1;
    }
    int number = 0;
    while (!wrong && getline(&line, &room, in) >= 0) {
        number++;
        wrong = read_line(f, line);
    }
    if (wrong)
        snprintf(err, err_size, "%s:%d: %s", path, number, wrong);
    else if (ferror(in)) /* a folder opens, but does not read */
        snprintf(err, err_size, "cannot read %s: %s", path, strerror(errno)), wrong = "";
    if (line)
        explicit_bzero(line, room); /* may have held a password */
    free(line);
    fclose(in);
    return wrong ? -1 : 0;
}

void env_file_clear(struct env_file *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->names[i]);
    free(f->names);
    *f = (struct env_file){0};
}
