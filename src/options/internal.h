/* internal.h - what the parts of options.c share while options_parse runs. */
#ifndef OPTIONS_INTERNAL_H
#define OPTIONS_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "options/env_file.h"
#include "options/table.h"

#define OPTIONS_SHOWN 160 /* bytes of somebody's text that an error quotes */

struct options_parse {
    struct options *options;
    bool command_known; /* by the program's name or the first plain argument */
    struct env_file file;
    char *err;
    size_t err_size;
};

/* Writes the error. Always -1, so that `return options_fail(...)` reads well. */
int options_fail(struct options_parse *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Somebody's text as an error may quote it: printable, cut, and without the credentials of an
 * address that was put in a wrong place. Returns `out`. */
const char *options_quote(char out[OPTIONS_SHOWN], const char *text, size_t len);

/* Checks `text` and keeps its canonical form as row `i`. `from` is how the person spelled it
 * ("--count" or "COUNT"). 0 or -1 with the error written. */
int options_take(struct options_parse *p, size_t i, const char *text, enum options_source source,
                 const char *variable, const char *from);

/* Replaces row `i`'s text by another effective one, source untouched; NULL wipes it. */
void options_replace(struct options *options, size_t i, const char *text);

/* Reads the address of Redis from its rows; masks it there and wipes the password's row. 0 or -1.
 */
int options_settle_redis(struct options_parse *p);

/* Takes passwords out of the environment, which jobs see. */
void options_hide_secrets(const struct options *options);

/* Whether `text` is "0", "no", "false", "off" or empty. */
bool options_is_off(const char *text);

/* Decides which of APP_INCLUDE and NO_INCLUDE counts, of which a worker needs one, and fills the
 * fields of the struct. 0 or -1. */
int options_settle_include(struct options_parse *p);

/* First pass: splits argv into flags (kept as values) and arguments, and finds the command. 0 or
 * -1. */
int options_read_flags(struct options_parse *p, int argc, char **argv);

#endif
