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

struct options_scripts { /* where job classes come from */
    const char *include; /* APP_INCLUDE as given: a list, see include_list.h; NULL: none */
    bool no_include;     /* NO_INCLUDE: classes are files of ./jobs */
    char *folder;        /* where relative paths lead, by the name that is followed; see folder.h */
    const char *lua_path; /* RESQUE_LUA_PATH; NULL: the embedded files */
};

struct options_work {   /* which jobs, and how they are looked for */
    const char *queues; /* as given; NULL: none */
    int count;          /* workers */
    double interval;    /* seconds; 0: work until the queues are empty, then exit */
    bool blocking;
    size_t max_payload; /* bytes */
};

struct options_limits { /* of a job, unless its table has its own; 0: no limit */
    double timeout;     /* seconds from the start of its process */
    size_t memory;      /* bytes of Lua's */
    double cpu;         /* seconds */
};

struct options_stop { /* how running jobs are ended */
    bool term_child;
    double pre_shutdown_timeout; /* seconds */
    double term_timeout;         /* seconds; only bounds a graceful stop when given: */
    bool term_timeout_given;
    bool graceful_term;
};

struct options_isolation { /* what jobs give up */
    const char *job_user;  /* NULL: jobs run as the worker does */
    const char *sandbox;   /* "off" or "strict": */
    bool sandbox_strict;
};

struct options_fleet {       /* what is in Redis */
    const char *prefix;      /* ends in ':' unless empty */
    const char *worker_host; /* NULL: the host name */
    double heartbeat;        /* seconds */
    double prune;            /* seconds */
    int requeue;             /* ON_CRASH: how often a job that crashed is put back; 0: it fails */
};

struct options_process {
    const char *pidfile; /* NULL: none */
    bool background;
    const char *procline_prefix; /* NULL: none */
};

struct options_output { /* of the log, and of commands */
    int verbosity;      /* -1 quiet, 0, 1 VERBOSE, 2 VVERBOSE */
    bool log_json;
    const char *logfile; /* NULL: stderr */
    bool json;           /* --json: what goes to stdout is JSON */
    bool colour; /* false with --no-color, NO_COLOR, TERM=dumb; a pipe has none in any case */
};

struct options {
    enum command command;
    char **arguments; /* what is left after the flags; NULL-terminated */
    int argument_count;
    struct address address; /* where Redis is, with db, user and password resolved */
    struct options_scripts scripts;
    struct options_work work;
    struct options_limits limits;
    struct options_stop stop;
    struct options_isolation isolation;
    struct options_fleet fleet;
    struct options_process process;
    struct options_output output;
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
