/* options.h - every setting of every command: flag, variable, type, default, help, in one table row
 * each.
 *
 * A flag beats the environment, which beats --env-file, which beats the default. The table
 * (table.c) makes --help, the completion and the man synopsis; a spec compares it with the
 * man pages, the sample env file and docs/running.md. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/exit_code.h"
#include "redis/address.h"

enum command {
    COMMAND_WORK,
    COMMAND_ENQUEUE,
    COMMAND_JOB,
    COMMAND_WORKERS,
    COMMAND_PERFORM,
    COMMAND_CHECK,
    COMMAND_DOCTOR,
    COMMAND_CONFIG,
    COMMAND_COMPLETION,
    COMMAND_VERSION,
    COMMAND_HELP,
    COMMAND_COUNT
};

enum options_source { OPTIONS_DEFAULT, OPTIONS_ENV_FILE, OPTIONS_ENVIRONMENT, OPTIONS_FLAG };

/* One row's effective value and where it came from. */
struct options_value {
    char *text;                 /* canonical, see options_row; NULL: not given, no default */
    enum options_source source; /* the strongest that gave it */
    const char *variable; /* which variable; with OPTIONS_FLAG the flag, if not the row's own */
};

struct options {
    enum command command;
    char **arguments; /* what is left after the flags; NULL-terminated */
    int argument_count;

    struct address address; /* where Redis is, with db, user and password resolved */
    const char *prefix;     /* ends in ':' unless empty */

    const char *queues;  /* as given; NULL: none */
    const char *include; /* APP_INCLUDE as given: a list, see include_list.h; NULL: none */
    bool no_include;     /* there is none: classes are files of ./jobs */
    char *folder;        /* where relative paths lead, by the name that is followed; see folder.h */
    int count;
    double interval; /* seconds; 0: work until the queues are empty, then exit */
    bool blocking;
    double job_timeout; /* seconds; 0: no limit, as for the other two */
    size_t job_memory;  /* bytes */
    double job_cpu;     /* seconds */
    const char *pidfile;
    bool background;
    bool term_child;
    double pre_shutdown_timeout; /* seconds */
    double term_timeout;         /* seconds; only bounds a graceful stop when given: */
    bool term_timeout_given;
    bool graceful_term;
    const char *sandbox; /* "off" or "strict": */
    bool sandbox_strict;
    int requeue;             /* ON_CRASH: how often a job that crashed is put back; 0: it fails */
    const char *job_user;    /* NULL: jobs run as the worker does */
    const char *worker_host; /* NULL: the host name */
    const char *procline_prefix;
    size_t max_payload;   /* bytes */
    double heartbeat;     /* seconds */
    double prune;         /* seconds */
    const char *lua_path; /* RESQUE_LUA_PATH, NULL: the embedded files */

    int verbosity; /* -1 quiet, 0, 1 VERBOSE, 2 VVERBOSE */
    bool log_json;
    const char *logfile;

    bool json;   /* --json: what goes to stdout is JSON */
    bool colour; /* false with --no-color, NO_COLOR, TERM=dumb; whether it is a terminal is another
                    question */

    struct options_value *values; /* parallel to the table, for Lua commands and `config` */
    char **warnings;              /* things to say once logging works; NULL-terminated */
};

/* Reads argv, the environment and --env-file into `options`. 0; -1 with what, why and `hint:` lines
 * in `err` (the caller prints it and exits with EXIT_USAGE). A program whose base name (argv[0]) is
 * resque-enqueue starts the enqueue command. Removes REDIS_PASSWORD and the password inside
 * REDIS_BACKEND and REDIS_URL from the environment, so no job sees them. With --help or --version
 * the environment is not looked at. After either result options_clear is due. */
int options_parse(struct options *options, int argc, char **argv, char *err, size_t err_size);
void options_clear(struct options *options);

/* The table as data, for `sys.settings` in Lua: options_rows() rows; row `i` gives the long flag
 * without its dashes ("worker-host"; NULL: the row has none), the type ('s' text, 'i' integer, 'd'
 * number, 'b' yes or no, 'z' size in bytes) and the effective text, already checked and in a form
 * strtoll/strtod read ('b': "1" or "0"; 'z': plain bytes; 'd' may be "inf"), NULL when not given
 * and without a default, or secret. False past the end. Nothing is to be freed. */
size_t options_rows(void);
bool options_row(const struct options *options, size_t i, const char **long_flag, char *type,
                 const char **text);

/* Name of a command ("job"), and the Lua module that is it ("resque.cli.job"; NULL: it is in C). */
const char *options_command_name(enum command command);
const char *options_command_module(enum command command);

/* Each prints to stdout; -1 with what, why and hint in `err`. options_help reads which command from
 * options->arguments (none: the overview), options_completion the shell. */
int options_help(const struct options *options, char *err, size_t err_size);
int options_completion(const struct options *options, char *err, size_t err_size);
void options_config(const struct options *options);

#endif
