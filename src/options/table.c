/* table.c - every command and every setting, one row each. Nothing but data and one search.
 */
#include "options/table.h"

#include <stdint.h>
#include <string.h>

const struct options_command options_commands[COMMAND_COUNT] = {
    [COMMAND_WORK] = {"work", 0, "[options]", "run workers (what happens without a command)", NULL,
                      "  APP_INCLUDE=jobs.lua QUEUE=mail resque-lua\n"
                      "  resque-lua -I jobs.lua -q critical,mail -n 5 -b\n"
                      "  resque-lua work -I jobs.lua -q '*' --burst -v\n"},
    [COMMAND_ENQUEUE] =
        {"enqueue", -1, "[QUEUE] CLASS [ARGS...] [options]",
         "put jobs in a queue (also as resque-enqueue)", "resque.cli.enqueue",
         "  resque-enqueue mail SendMail '{\"to\":\"chris@example.org\"}'\n"
         "  resque-enqueue mail SendMail to=chris@example.org retries:=3 body=@letter.txt\n"
         "  resque-enqueue mail SendMail to=chris@example.org --wait=30\n"
         "  resque-enqueue math Add --positional '[1,2]'\n"
         "  resque-enqueue mail SendMail --stdin < args.ndjson\n"
         "  resque-enqueue --stdin < jobs.ndjson      # {\"queue\",\"class\",\"args\"} per line\n"},
    [COMMAND_JOB] = {"job", -1, "ID [options]",
                     "status, timing and result of a tracked job; --kill stops any job",
                     "resque.cli.job",
                     "  resque-lua job 6055fe1a2c4b4f0e9d0b5d0f3e8a20b9 --wait=60\n"
                     "  resque-lua job 6055fe1a2c4b4f0e9d0b5d0f3e8a20b9 --kill\n"},
    [COMMAND_WORKERS] = {"workers", -1, "[list | kill ID] [options]",
                         "list the workers and their jobs; stop the job that one has",
                         "resque.cli.workers",
                         "  resque-lua workers\n"
                         "  resque-lua workers kill web3:4711:mail,default\n"},
    [COMMAND_PERFORM] = {"perform", -1, "CLASS [ARGS...] [options]",
                         "run one job now, in the foreground, without Redis", "resque.cli.perform",
                         "  resque-lua perform SendMail to=chris@example.org -I jobs.lua\n"},
    [COMMAND_CHECK] = {"check", -1, "[FILE] [options]",
                       "compile APP_INCLUDE and list its job classes", "resque.cli.check",
                       "  resque-lua check jobs.lua\n"},
    [COMMAND_DOCTOR] = {"doctor", 0, "[options]",
                        "look Redis and the fleet over: what breaks a promise, and what to do",
                        "resque.cli.doctor",
                        "  resque-lua doctor --env-file /etc/resque-lua/mail.env\n"
                        "  resque-lua doctor --json | jq '.checks[] | select(.level != \"ok\")'\n"},
    [COMMAND_CONFIG] = {"config", 0, "[options]", "each effective setting and where it comes from",
                        NULL, "  resque-lua config --env-file /etc/resque-lua/mail.env\n"},
    [COMMAND_COMPLETION] = {"completion", 1, "bash|zsh|fish", "a completion script for the shell",
                            NULL,
                            "  resque-lua completion bash > /etc/bash_completion.d/resque-lua\n"},
    [COMMAND_VERSION] = {"version", 0, "", "which version this is", NULL, NULL},
    [COMMAND_HELP] = {"help", 1, "[COMMAND]", "this text, or a command's", NULL, NULL},
};

#define WORK (OPTIONS_BIT(COMMAND_WORK) | OPTIONS_BIT(COMMAND_CONFIG))
#define ENQUEUE OPTIONS_BIT(COMMAND_ENQUEUE)
#define JOB OPTIONS_BIT(COMMAND_JOB)
#define WORKERS OPTIONS_BIT(COMMAND_WORKERS)
#define PERFORM OPTIONS_BIT(COMMAND_PERFORM)
#define CHECK OPTIONS_BIT(COMMAND_CHECK)
#define DOCTOR OPTIONS_BIT(COMMAND_DOCTOR)
#define LUA (ENQUEUE | JOB | WORKERS | PERFORM | CHECK | DOCTOR)
#define EVERY (OPTIONS_BIT(COMMAND_COUNT) - 1)
#define FIELD(name) offsetof(struct options, name)

/* clang-format off */
const struct options_setting options_settings[] = {
    /* What a worker does. */
    {.flag = "queues", .letter = 'q', .type = OPTIONS_TEXT, .commands = WORK,
     .variables = {"QUEUES", "QUEUE"}, .argument = "LIST", .field = FIELD(work.queues),
     .help = "queues, the first with a job wins; '*' is all; globs (mail_*) and !skip work too"},
    {.flag = "include", .letter = 'I', .type = OPTIONS_FILE,
     .commands = WORK | ENQUEUE | PERFORM | CHECK, .variables = {"APP_INCLUDE"}, .argument = "FILE",
     .field = FIELD(scripts.include),
     .help = "Lua file with the jobs and hooks, or a comma list of them"},
    {.flag = "no-include", .type = OPTIONS_SWITCH, .commands = WORK | PERFORM | CHECK,
     .variables = {"NO_INCLUDE"}, .fallback = "0", .field = FIELD(scripts.no_include),
     .help = "there is no such file: every class is a file of the folder ./jobs"},
    {.flag = "count", .letter = 'n', .type = OPTIONS_INTEGER, .commands = WORK,
     .variables = {"COUNT"}, .fallback = "1", .argument = "N", .min = 1, .max = 1000,
     .field = FIELD(work.count),
     .help = "number of workers; the manager starts dead ones again"},
    {.flag = "interval", .letter = 'i', .type = OPTIONS_SECONDS, .commands = WORK,
     .variables = {"INTERVAL"}, .fallback = "5", .argument = "S", .min = 0, .max = 86400,
     .field = FIELD(work.interval),
     .help = "seconds between looks at empty queues; 0: work until they are empty, then exit"},
    {.flag = "burst", .type = OPTIONS_SWITCH, .commands = WORK, .traits = OPTIONS_FLAGGED,
     .help = "the same as --interval 0"},
    {.flag = "blocking", .letter = 'b', .type = OPTIONS_SWITCH, .commands = WORK | DOCTOR,
     .variables = {"BLOCKING"}, .fallback = "0", .field = FIELD(work.blocking),
     .help = "let Redis wake the worker the moment a job arrives"},
    {.flag = "max-payload", .type = OPTIONS_SIZE, .commands = WORK, .variables = {"MAX_PAYLOAD"},
     .fallback = "16777216", .argument = "SIZE", .min = 1024, .max = 536870912,
     .field = FIELD(work.max_payload),
     .help = "larger jobs go to the failed list unread"},

    /* What a job may use. */
    {.flag = "timeout", .type = OPTIONS_SECONDS, .commands = WORK, .variables = {"JOB_TIMEOUT"},
     .fallback = "0", .argument = "S", .min = 0, .max = 31536000, .field = FIELD(limits.timeout),
     .help = "seconds a job may take from the start of its process; 0: no limit"},
    {.flag = "job-memory", .type = OPTIONS_SIZE, .commands = WORK, .variables = {"JOB_MEMORY"},
     .fallback = "0", .argument = "SIZE", .min = 0, .max = 1099511627776, .field = FIELD(limits.memory),
     .help = "memory that a job's Lua may take, 1M at least; 0: no limit"},
    {.flag = "job-cpu", .type = OPTIONS_SECONDS, .commands = WORK, .variables = {"JOB_CPU"},
     .fallback = "0", .argument = "S", .min = 0, .max = 31536000, .field = FIELD(limits.cpu),
     .help = "CPU seconds a job may use, rounded up to whole ones; 0: no limit"},
    {.flag = "on-crash", .type = OPTIONS_CRASH, .commands = WORK, .variables = {"ON_CRASH"},
     .fallback = "fail", .argument = "fail|requeue:N", .min = 1, .max = 1000,
     .field = FIELD(fleet.requeue),
     .help = "a job that crashed fails, or is put back at most N times and then fails"},

    /* How it stops. */
    {.flag = "term-child", .type = OPTIONS_SWITCH, .commands = WORK, .variables = {"TERM_CHILD"},
     .fallback = "0", .field = FIELD(stop.term_child),
     .help = "on TERM, send the job TERM before KILL"},
    {.flag = "pre-shutdown-timeout", .type = OPTIONS_SECONDS, .commands = WORK,
     .variables = {"RESQUE_PRE_SHUTDOWN_TIMEOUT"}, .fallback = "0", .argument = "S", .min = 0,
     .max = 86400, .field = FIELD(stop.pre_shutdown_timeout),
     .help = "with --term-child: seconds to let the job run before TERM"},
    {.flag = "term-timeout", .type = OPTIONS_SECONDS, .commands = WORK,
     .variables = {"RESQUE_TERM_TIMEOUT"}, .fallback = "4", .argument = "S", .min = 0, .max = 86400,
     .field = FIELD(stop.term_timeout),
     .help = "with --term-child: seconds from TERM to KILL; if given, a graceful stop's limit too"},
    {.flag = "graceful-term", .type = OPTIONS_SWITCH, .commands = WORK,
     .variables = {"GRACEFUL_TERM"}, .fallback = "0", .field = FIELD(stop.graceful_term),
     .help = "TERM and INT let the running job finish first, as QUIT does"},

    /* What a job may do. */
    {.flag = "sandbox", .type = OPTIONS_CHOICE, .commands = WORK | PERFORM | CHECK | DOCTOR,
     .variables = {"SANDBOX"}, .fallback = "off", .argument = "off|strict",
     .field = FIELD(isolation.sandbox),
     .help = "strict: scripts have no files, programs, modules and system calls they do not need"},
    {.flag = "sandbox-modules", .type = OPTIONS_TEXT, .commands = WORK | PERFORM | CHECK,
     .variables = {"SANDBOX_MODULES"}, .argument = "LIST",
     .help = "with --sandbox strict: what scripts may require; globs (socket.*) work"},
    {.flag = "job-user", .type = OPTIONS_TEXT, .commands = WORK, .variables = {"JOB_USER"},
     .argument = "NAME", .field = FIELD(isolation.job_user),
     .help = "jobs run as this user; the worker must be root"},

    /* The process. */
    {.flag = "pidfile", .type = OPTIONS_FILE, .commands = WORK, .variables = {"PIDFILE"},
     .argument = "FILE", .field = FIELD(process.pidfile),
     .help = "write the manager's pid there; removed at exit"},
    {.flag = "daemon", .type = OPTIONS_SWITCH, .commands = WORK, .variables = {"BACKGROUND"},
     .fallback = "0", .field = FIELD(process.background),
     .help = "go to the background once started"},
    {.flag = "worker-host", .type = OPTIONS_TEXT, .commands = WORK, .variables = {"WORKER_HOST"},
     .argument = "NAME", .field = FIELD(fleet.worker_host),
     .help = "first part of the worker's id (default: the host name)"},
    {.flag = "procline-prefix", .type = OPTIONS_TEXT, .commands = WORK,
     .variables = {"RESQUE_PROCLINE_PREFIX"}, .argument = "TEXT", .field = FIELD(process.procline_prefix),
     .help = "text before the process title"},
    {.flag = "heartbeat", .type = OPTIONS_SECONDS, .commands = WORK,
     .variables = {"RESQUE_HEARTBEAT"}, .fallback = "60", .argument = "S", .min = 0.1, .max = 86400,
     .field = FIELD(fleet.heartbeat),
     .help = "seconds between signs of life"},
    {.flag = "prune", .type = OPTIONS_SECONDS, .commands = WORK | DOCTOR, .variables = {"RESQUE_PRUNE"},
     .fallback = "300", .argument = "S", .min = 1, .max = 604800, .field = FIELD(fleet.prune),
     .help = "seconds without one after which a worker counts as dead"},
    {.flag = "log-format", .type = OPTIONS_CHOICE, .commands = WORK, .variables = {"LOG_FORMAT"},
     .fallback = "text", .argument = "text|json",
     .help = "json: one object per line"},
    {.flag = "logfile", .type = OPTIONS_FILE, .commands = WORK, .variables = {"LOGFILE"},
     .argument = "FILE", .field = FIELD(output.logfile),
     .help = "log there instead of stderr; HUP opens it again"},

    /* Jobs from the command line. */
    {.flag = "class", .type = OPTIONS_TEXT, .commands = ENQUEUE, .traits = OPTIONS_FLAGGED,
     .argument = "CLASS",
     .help = "the class; the queue is then the one its job table names"},
    {.flag = "positional", .type = OPTIONS_TEXT, .commands = ENQUEUE | PERFORM,
     .traits = OPTIONS_FLAGGED, .argument = "JSON",
     .help = "the whole list of arguments, as for Ruby jobs"},
    {.flag = "stdin", .type = OPTIONS_SWITCH, .commands = ENQUEUE, .traits = OPTIONS_FLAGGED,
     .help = "one job per line: its arguments, or {\"queue\",\"class\",\"args\"}; also '-'"},
    {.flag = "track", .type = OPTIONS_SWITCH, .commands = ENQUEUE, .traits = OPTIONS_FLAGGED,
     .help = "keep a status that `resque-lua job ID` shows"},
    {.flag = "kill", .type = OPTIONS_SWITCH, .commands = JOB, .traits = OPTIONS_FLAGGED,
     .help = "stop the job: take it out of its queue, or have its worker end it"},
    {.flag = "wait", .type = OPTIONS_SECONDS, .commands = ENQUEUE | JOB | WORKERS,
     .traits = OPTIONS_FLAGGED | OPTIONS_BARE, .argument = "S", .min = 0, .max = 31536000,
     .help = "wait for the end, S seconds at most: exit 0 done, 1 failed, 5 too late"},
    {.flag = "id", .type = OPTIONS_TEXT, .commands = ENQUEUE, .traits = OPTIONS_FLAGGED,
     .argument = "ID",
     .help = "the job's id instead of a new one"},
    {.flag = "batch", .type = OPTIONS_INTEGER, .commands = ENQUEUE, .traits = OPTIONS_FLAGGED,
     .fallback = "500", .argument = "N", .min = 1, .max = 100000,
     .help = "with --stdin: jobs per round trip"},
    {.flag = "rate", .type = OPTIONS_RATE, .commands = ENQUEUE, .traits = OPTIONS_FLAGGED,
     .argument = "N/s", .min = 0.001, .max = 1e9,
     .help = "with --stdin: at most so many a second"},
    {.flag = "no-progress", .type = OPTIONS_SWITCH, .commands = ENQUEUE, .traits = OPTIONS_FLAGGED,
     .help = "with --stdin: no bar on the terminal"},
    {.flag = "dry-run", .type = OPTIONS_SWITCH, .commands = ENQUEUE | JOB | WORKERS,
     .traits = OPTIONS_FLAGGED,
     .help = "show what would be sent or stopped, do nothing"},
    {.flag = "strict", .type = OPTIONS_SWITCH, .commands = CHECK, .traits = OPTIONS_FLAGGED,
     .help = "a warning counts as a failure"},

    /* For every command. */
    {.flag = "redis", .letter = 'r', .type = OPTIONS_TEXT, .commands = EVERY,
     .variables = {"REDIS_BACKEND", "REDIS_URL"}, .fallback = "localhost:6379", .argument = "URL",
     .help = "host, host:port, redis://[[user:]password@]host[:port][/db], unix:///path"},
    {.flag = "redis-db", .type = OPTIONS_INTEGER, .commands = EVERY,
     .variables = {"REDIS_BACKEND_DB"}, .fallback = "0", .argument = "N", .min = 0, .max = 1000000,
     .help = "database number; the URL's own wins"},
    {.flag = "redis-password-file", .type = OPTIONS_FILE, .commands = EVERY,
     .variables = {"REDIS_PASSWORD_FILE"}, .argument = "FILE",
     .help = "its first line is the password"},
    {.flag = "redis-password", .type = OPTIONS_TEXT, .commands = EVERY, .traits = OPTIONS_SECRET,
     .variables = {"REDIS_PASSWORD"},
     .help = "the password; not a flag, because others can see those"},
    {.flag = "prefix", .letter = 'p', .type = OPTIONS_TEXT, .commands = EVERY,
     .variables = {"PREFIX"}, .fallback = "resque", .argument = "P", .field = FIELD(fleet.prefix),
     .help = "what every key begins with; a missing ':' is added"},
    {.flag = "env-file", .type = OPTIONS_FILE, .commands = EVERY, .traits = OPTIONS_FLAGGED,
     .argument = "FILE",
     .help = "NAME=value lines; the environment beats them"},
    {.flag = "lua-path", .type = OPTIONS_FILE, .commands = EVERY, .variables = {"RESQUE_LUA_PATH"},
     .argument = "DIR", .field = FIELD(scripts.lua_path),
     .help = "resque-lua's own Lua files from there instead of the built-in ones"},
    {.flag = "verbose", .letter = 'v', .type = OPTIONS_SWITCH, .commands = EVERY,
     .variables = {"VERBOSE", "LOGGING"}, .fallback = "0",
     .help = "say more; -vv still more"},
    {.flag = "very-verbose", .type = OPTIONS_SWITCH, .commands = EVERY, .variables = {"VVERBOSE"},
     .fallback = "0",
     .help = "everything, with times; the same as -vv"},
    {.flag = "quiet", .type = OPTIONS_SWITCH, .commands = EVERY, .traits = OPTIONS_FLAGGED,
     .help = "only warnings and errors"},
    {.flag = "json", .type = OPTIONS_SWITCH,
     .commands = LUA | OPTIONS_BIT(COMMAND_CONFIG) | OPTIONS_BIT(COMMAND_VERSION),
     .traits = OPTIONS_FLAGGED, .field = FIELD(output.json),
     .help = "JSON on stdout"},
    {.flag = "no-color", .type = OPTIONS_SWITCH, .commands = EVERY, .traits = OPTIONS_PRESENT,
     .variables = {"NO_COLOR"}, .fallback = "0",
     .help = "no colour on the terminal"},
    {.flag = "help", .letter = 'h', .type = OPTIONS_SWITCH, .commands = EVERY,
     .traits = OPTIONS_FLAGGED,
     .help = "this text"},
    {.flag = "version", .letter = 'V', .type = OPTIONS_SWITCH, .commands = EVERY,
     .traits = OPTIONS_FLAGGED,
     .help = "which version this is"},
};
/* clang-format on */

const size_t options_setting_count = sizeof options_settings / sizeof options_settings[0];

size_t options_find(const char *flag)
{
    size_t i = 0;
    while (strcmp(options_settings[i].flag, flag) != 0)
        i++;
    return i;
}
