/* log.h - one line per event, one write(2) per line, to stderr or LOGFILE.
 *
 * Formats: `*** text`; with VVERBOSE `** [HH:MM:SS YYYY-MM-DD] text`, but for notices, which stay
 * `*** text` (as php-resque's start line does); or one JSON object per line: time, level, pid,
 * worker, job, further members, text. Text is made printable first (text.h), so a hostile queue
 * name cannot forge a line. Lines that would be longer than LOG_LINE end in an ellipsis.
 *
 * Logging never stops the program: what cannot be written (full disk, reader gone or not reading)
 * is dropped, and the next line that can be written is preceded by one that says how many are
 * missing. */
#ifndef LOG_H
#define LOG_H

#include <limits.h>
#include <stdbool.h>

/* Bytes of the longest line with its line end: what a pipe takes whole, so that processes that
 * share one do not write into each other's lines. */
#define LOG_LINE PIPE_BUF

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARN,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG
};

struct log_settings {
    enum log_level level; /* NOTICE by default, INFO with VERBOSE, DEBUG with VVERBOSE */
    bool json;
    const char *file; /* not owned, must outlive the process; NULL: stderr */
};

/* Starts logging (before it: NOTICE to stderr). 0, or -1 with errno when the file cannot be opened
 * (stderr is then used). */
int log_open(const struct log_settings *settings);

/* Opens the file again, after logrotate moved it. 0 or -1 with errno (the old one stays in use). */
int log_reopen(void);

/* Names that JSON lines carry from now on; copied; NULL clears. */
void log_set_worker(const char *worker_id);
void log_set_job(const char *job_id);

/* Further members of the JSON lines from now on: "name":value, joined by commas. Borrowed; NULL
 * clears. */
void log_set_members(const char *members);

/* Changes the level alone. */
void log_set_level(enum log_level level);

bool log_wants(enum log_level level);

/* Never touches errno, never raises SIGPIPE. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Each line of `text` as a line of its own: "what and why\nhint: what to do". */
void log_error_lines(const char *text);
void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
