/* table.h - the two tables behind options.h: commands and settings. Data only, which the other
 * files of this folder read. */
#ifndef OPTIONS_TABLE_H
#define OPTIONS_TABLE_H

#include <stddef.h>

#include "options/options.h"

#define OPTIONS_BIT(command) (1u << (command))

struct options_command {
    const char *name;
    int arguments;        /* how many it takes at most; -1: it counts them itself */
    const char *synopsis; /* what follows the name */
    const char *summary;
    const char *module;   /* Lua module that is the command; NULL: C */
    const char *examples; /* lines, indented as they are shown; NULL: none */
};

/* Indexed by enum command. */
extern const struct options_command options_commands[COMMAND_COUNT];

enum options_type {
    OPTIONS_TEXT,
    OPTIONS_FILE,   /* text; completed as a file name */
    OPTIONS_CHOICE, /* one of the words in `argument`, separated by '|' */
    OPTIONS_INTEGER,
    OPTIONS_SECONDS, /* number with an optional ms, s, m, h, d */
    OPTIONS_RATE,    /* number with an optional /s */
    OPTIONS_CRASH,   /* fail, or requeue:N */
    OPTIONS_SIZE,    /* bytes with an optional K, M, G */
    OPTIONS_SWITCH,
};

enum options_trait {
    OPTIONS_SECRET = 1,  /* never shown, never given to Lua, no flag */
    OPTIONS_BARE = 2,    /* the flag alone is enough: its value, if any, follows '=' */
    OPTIONS_PRESENT = 4, /* the variable means yes whatever it says (no-color.org) */
    OPTIONS_FLAGGED = 8, /* only a flag: not a setting that `config` shows */
};

struct options_setting {
    const char *flag; /* long flag without dashes */
    char letter;      /* 0: none */
    enum options_type type;
    unsigned commands; /* OPTIONS_BIT of each command that knows it */
    unsigned traits;
    const char *variables[2]; /* the first that is set counts */
    const char *fallback;     /* canonical text; NULL: none */
    const char *argument;     /* what the help calls the value */
    double min, max;          /* of numbers */
    size_t field;             /* where in struct options; 0: nowhere */
    const char *help;
};

extern const struct options_setting options_settings[];
extern const size_t options_setting_count;

/* Row number of a setting by its long flag; the flag must exist. */
size_t options_find(const char *flag);

#endif
