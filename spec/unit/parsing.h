/* parsing.h - what the tests of options share: a command line is parsed in an environment of its
 * own, with a file that the test may write. Included behind cmocka.h. */
#ifndef PARSING_H
#define PARSING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "options/options.h"
#include "temporary.h"

#define WORDS 32

static struct options options;
static char err[1024];
static char path[TEMPORARY_SIZE];    /* the file of write_file */
static char pattern[TEMPORARY_SIZE]; /* of its path; the environment is emptied */

/* Parses a command line written as one text with blanks between the words. */
static inline int parse(const char *line)
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

static inline void write_file(const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* The effective text of the row with this flag. */
static inline const char *text_of(const char *name)
{
    const char *flag, *text;
    char type;
    for (size_t i = 0; options_row(&options, i, &flag, &type, &text); i++)
        if (flag && strcmp(flag, name) == 0)
            return text;
    return "(no such row)";
}

/* With what no worker can do without. */
static inline void clean_environment(void)
{
    clearenv();
    setenv("APP_INCLUDE", "jobs.lua", 1);
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
    (void)state;
    options_clear(&options);
    unlink(path);
    return 0;
}

static inline void assert_refused(const char *line, const char *what)
{
    assert_int_equal(parse(line), -1);
    if (!strstr(err, what))
        fail_msg("'%s' is not in: %s", what, err);
    assert_non_null(strstr(err, "\nhint: "));
}

#endif
