/* main.c - order of start-up, which command runs, exit codes. Nothing is decided here that a
 * command could decide. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/version.h"
#include "lua/luahost.h"
#include "manager/manager.h"
#include "options/options.h"
#include "os/confine.h"
#include "os/title.h"

#define ERROR_SIZE 1024

/* A descriptor 0, 1 or 2 that is closed would be taken by the next socket, and a job's output would
 * go to Redis. */
static void fill_stdio(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static int usage_error(const char *text)
{
    fprintf(stderr, "resque-lua: %s\n", text);
    return EXIT_USAGE;
}

static int start_log(const struct options *options)
{
    static const enum log_level levels[] = {LOG_LEVEL_WARN, LOG_LEVEL_NOTICE, LOG_LEVEL_INFO,
                                            LOG_LEVEL_DEBUG};
    const char *file = options->command == COMMAND_WORK ? options->output.logfile
                                                        : NULL; /* not to print `config` */
    struct log_settings settings = {levels[options->output.verbosity + 1], options->output.log_json,
                                    file};
    char err[ERROR_SIZE];
    if (log_open(&settings) == 0)
        return EXIT_DONE;
    snprintf(
        err, sizeof err,
        "cannot write the log file %s: %s\nhint: LOGFILE or --logfile names a file in a folder "
        "that exists and may be written",
        file, strerror(errno));
    return usage_error(err);
}

static int show_version(const struct options *options)
{
    printf(options->output.json ? "{\"version\":\"%s\"}\n" : "resque-lua %s\n", VERSION_TEXT);
    return EXIT_DONE;
}

static int dispatch(const struct options *options)
{
    char err[ERROR_SIZE];
    const char *module = options_command_module(options->command);
    if (module)
        return luahost_command(options, module);
    switch (options->command) {
    case COMMAND_CONFIG:
        options_config(options);
        return EXIT_DONE;
    case COMMAND_COMPLETION:
        return options_completion(options, err, sizeof err) < 0 ? usage_error(err) : EXIT_DONE;
    case COMMAND_HELP:
        return options_help(options, err, sizeof err) < 0 ? usage_error(err) : EXIT_DONE;
    case COMMAND_VERSION:
        return show_version(options);
    default:
        return manager_run(options);
    }
}

static int run(const struct options *options)
{
    int code = start_log(options);
    if (code != EXIT_DONE)
        return code;
    if (options->address.password) /* may stand on the command line, which others can read */
        title_set("%s", options_command_name(options->command));
    title_set_prefix(options->process.procline_prefix);
    for (char **warning = options->warnings; *warning; warning++)
        log_warn("%s", *warning);
    bool runs_jobs = options->command == COMMAND_WORK || options->command == COMMAND_PERFORM;
    if (runs_jobs && confine_always() < 0) {
        log_error("cannot set no_new_privs: %s", strerror(errno));
        return EXIT_FAILED;
    }
    code = dispatch(options);
    if (fflush(stdout) == 0 && !ferror(stdout)) /* Lua flushes as it goes, and drops the error */
        return code;
    if (errno != EPIPE) /* `| head` has seen enough */
        log_error("cannot write to standard output: %s", strerror(errno));
    return code ? code : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct options options;
    char err[ERROR_SIZE];
    fill_stdio();
    signal(SIGPIPE,
           SIG_IGN); /* a connection that is cut is an error of write, not the end of the program */
    if (title_init(argc, &argv) < 0)
        log_debug("process titles stay as they are: %s", strerror(errno));
    int code =
        options_parse(&options, argc, argv, err, sizeof err) < 0 ? usage_error(err) : run(&options);
    options_clear(&options);
    return code;
}
