/* log.c - lines for people and for log collectors. Not for data: what a command prints goes to
 * stdout. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

/* How long a full pipe or terminal may hold us up before a line is dropped: a worker that waits for
 * its log reader sends no heartbeat. */
#define PATIENCE_MS 100

static const char ellipsis[] = "…";

/* Process-wide by nature: every module logs, and there is one stderr. */
static struct {
    struct log_settings settings;
    int fd;
    bool stuck;         /* the last line found it full: the next one does not wait again */
    bool in_line;       /* a line was cut off in the middle */
    unsigned long lost; /* lines dropped since the last one that was written */
    char *worker, *job; /* owned; NULL: none */
    const char *members;
} state = {.settings = {.level = LOG_LEVEL_NOTICE}, .fd = STDERR_FILENO};

static const char *const level_names[] = {"error", "warn", "notice", "info", "debug"};

/* A line being put together. */
struct line {
    char text[LOG_LINE];
    size_t used;
};

static void use(int fd)
{
    state.fd = fd;
    state.stuck = state.in_line = false;
}

/* O_NONBLOCK: a FIFO without a reader is an error, not a wait. */
static int open_file(const char *file)
{
    return open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

int log_open(const struct log_settings *settings)
{
    int fd = settings->file ? open_file(settings->file) : STDERR_FILENO;
    int error = errno;
    if (state.fd != STDERR_FILENO)
        close(state.fd);
    state.settings = *settings;
    use(fd < 0 ? STDERR_FILENO : fd);
    errno = error;
    return fd < 0 ? -1 : 0;
}

int log_reopen(void)
{
    if (!state.settings.file)
        return 0;
    int fd = open_file(state.settings.file);
    if (fd < 0)
        return -1;
    if (state.fd != STDERR_FILENO)
        close(state.fd);
    use(fd);
    return 0;
}

static void replace(char **name, const char *text)
{
    free(*name);
    *name = text ? strdup(text) : NULL; /* without memory lines lack the name */
}

void log_set_worker(const char *worker_id)
{
    replace(&state.worker, worker_id);
}

void log_set_job(const char *job_id)
{
    replace(&state.job, job_id);
}

void log_set_members(const char *members)
{
    state.members = members;
}

void log_set_level(enum log_level level)
{
    state.settings.level = level;
}

bool log_wants(enum log_level level)
{
    return level <= state.settings.level;
}

/* Adds printable text up to `limit` bytes of the line; what is longer is cut between two characters
 * and gets an ellipsis, for which there is room behind the limit. */
static void add(struct line *line, size_t limit, const char *text)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t n = text_utf8_length(text, left);
        bool escape = state.settings.json && (*text == '"' || *text == '\\');
        if (line->used + n + escape > limit) {
            memcpy(line->text + line->used, ellipsis, sizeof ellipsis - 1);
            line->used += sizeof ellipsis - 1;
            return;
        }
        if (escape)
            line->text[line->used++] = '\\';
        memcpy(line->text + line->used, text, n);
        line->used += n;
        text += n;
        left -= n;
    }
}

/* Adds a short text of the program's own. */
static void add_own(struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add_own(struct line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line->text + line->used, sizeof line->text - line->used, format, args);
    va_end(args);
    line->used += n > 0 ? (size_t)n : 0;
}

/* Makes `text` printable and adds it; leaves room for the ellipsis and the end of the line. */
static void add_text(struct line *line, size_t most, const char *text, size_t len)
{
    enum { END = sizeof "…\"}\n" };
    char shown[TEXT_PRINTABLE_SIZE(LOG_LINE)];
    size_t limit =
        line->used + most < sizeof line->text - END ? line->used + most : sizeof line->text - END;
    add(line, limit, text_printable(shown, sizeof shown, text, len < LOG_LINE ? len : LOG_LINE));
}

/* "name":"value", unless there is none. */
static void add_name(struct line *line, const char *name, const char *value)
{
    enum { MOST = LOG_LINE / 4 };
    if (!value)
        return;
    add_own(line, "\"%s\":\"", name);
    add_text(line, MOST, value, strlen(value));
    add_own(line, "\",");
}

static void begin_json(struct line *line, enum log_level level)
{
    char when[32];
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &utc);
    add_own(line, "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"pid\":%ld,", when,
            now.tv_nsec / 1000000, level_names[level], (long)getpid());
    add_name(line, "worker", state.worker);
    add_name(line, "job", state.job);
    if (state.members)
        add_own(line, "%s,", state.members);
    add_own(line, "\"text\":\"");
}

static void begin_plain(struct line *line, enum log_level level)
{
    if (state.settings.level < LOG_LEVEL_DEBUG || level == LOG_LEVEL_NOTICE) {
        add_own(line, "*** ");
        return;
    }
    char when[32];
    time_t now = time(NULL);
    struct tm local;
    localtime_r(&now, &local);
    strftime(when, sizeof when, "%H:%M:%S %Y-%m-%d", &local);
    add_own(line, "** [%s] ", when);
}

/* Waits a moment for room; a regular file always has some. True also when write will meet an error.
 */
static bool has_room(void)
{
    struct pollfd out = {.fd = state.fd, .events = POLLOUT};
    int ready;
    do
        ready = poll(&out, 1, state.stuck ? 0 : PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    state.stuck = ready == 0;
    return ready != 0;
}

static bool write_all(const char *text, size_t len)
{
    while (len > 0) {
        if (!has_room())
            return false;
        ssize_t n = write(state.fd, text, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        len -= (size_t)n;
        state.in_line = len > 0;
    }
    return true;
}

/* A pipe without reader costs the line, not the process: SIGPIPE may have its default action here,
 * in a job for example. One that was pending before stays so. */
static bool write_quietly(const char *text, size_t len)
{
    const struct timespec now = {0};
    sigset_t pipe_signal, pending, before;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe_signal, &before);
    sigpending(&pending);
    bool written = write_all(text, len);
    if (!written && errno == EPIPE && !sigismember(&pending, SIGPIPE))
        sigtimedwait(&pipe_signal, NULL, &now);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return written;
}

/* Writes one line with `text`. */
static bool write_line(enum log_level level, const char *text, size_t len)
{
    struct line line;
    line.used = 0;
    if (state.in_line)
        add_own(&line, "\n");
    if (state.settings.json)
        begin_json(&line, level);
    else
        begin_plain(&line, level);
    add_text(&line, sizeof line.text, text, len);
    add_own(&line, state.settings.json ? "\"}\n" : "\n");
    return write_quietly(line.text, line.used);
}

/* Says that lines are missing, if some are. */
static bool report_lost(void)
{
    char text[64];
    if (state.lost == 0)
        return true;
    int len = snprintf(text, sizeof text, "%lu log lines are missing here", state.lost);
    if (!write_line(LOG_LEVEL_WARN, text, (size_t)len))
        return false;
    state.lost = 0;
    return true;
}

static void log_list(enum log_level level, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void log_list(enum log_level level, const char *format, va_list args)
{
    char text[LOG_LINE +
              1]; /* more than a line holds, so that what is cut off here gets its ellipsis */
    int error = errno;
    if (!log_wants(level))
        return;
    int len = vsnprintf(text, sizeof text, format, args);
    if (len < 0) /* a wide string that cannot be converted */
        len = snprintf(text, sizeof text, "%s", format);
    if (!report_lost() || !write_line(level, text, strnlen(text, (size_t)len)))
        state.lost++;
    errno = error;
}

void log_at(enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_list(level, format, args);
    va_end(args);
}

void log_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_list(LOG_LEVEL_ERROR, format, args);
    va_end(args);
}

void log_warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_list(LOG_LEVEL_WARN, format, args);
    va_end(args);
}

void log_notice(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_list(LOG_LEVEL_NOTICE, format, args);
    va_end(args);
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_list(LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void log_debug(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_list(LOG_LEVEL_DEBUG, format, args);
    va_end(args);
}

void log_error_lines(const char *text)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        log_error("%.*s", (int)len, text);
        text += len + (text[len] == '\n');
    }
}
