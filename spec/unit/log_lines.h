/* log_lines.h - what the tests of the log share: stderr is replaced by a socket while lines are
 * written, as cmocka wants it back in between. Included behind cmocka.h. */
#ifndef LOG_LINES_H
#define LOG_LINES_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

static int saved_stderr = -1;

static inline void redirect(int fd)
{
    saved_stderr = dup(STDERR_FILENO);
    dup2(fd, STDERR_FILENO);
}

static inline void restore(void)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
}

static inline void use(struct log_settings settings)
{
    if (log_open(&settings) != 0)
        fail_msg("log_open: %s", strerror(errno));
}

/* Datagrams: each read gives what one write(2) wrote. */
static int lines[2];

static inline int open_lines(void **unused)
{
    (void)unused;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, lines) != 0)
        return -1;
    log_set_worker(NULL);
    log_set_job(NULL);
    return fcntl(lines[0], F_SETFL, O_NONBLOCK);
}

static inline int close_lines(void **unused)
{
    (void)unused;
    close(lines[0]);
    close(lines[1]);
    use((struct log_settings){.level = LOG_LEVEL_NOTICE});
    log_set_worker(NULL);
    log_set_job(NULL);
    return 0;
}

/* What the next write wrote, or "" if there was none. */
static inline const char *next_line(void)
{
    static char line[3 * LOG_LINE];
    ssize_t n = read(lines[0], line, sizeof line - 1);
    line[n > 0 ? n : 0] = '\0';
    if (n > 0)
        assert_int_equal(strlen(line), n);
    return line;
}

static inline void say(const char *text)
{
    redirect(lines[1]);
    log_error("%s", text);
    restore();
}

#endif
