/* output.c - see output.h. */
#include "job/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "os/descriptors.h"

#define PATIENCE 0.1  /* seconds for the rest of a job's output */
#define ROUNDS 16     /* pieces at a time: the worker has signals to hear */
#define LEFT_MOST 512 /* pieces that a pipe holds at most, as root may have set it */

/* --- opening --- */

static bool same_file(int a, int b)
{
    struct stat first, second;
    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/* Opens a pipe or terminal again through /proc/self/fd: that gives an open file description of our
 * own, so O_NONBLOCK changes nothing for others who have the old one, and none of them makes a
 * write of ours wait. Returns `fd` itself for other files, and where that fails. */
static int open_target(int fd)
{
    struct stat file;
    char path[32];
    if (fstat(fd, &file) < 0 || (!S_ISFIFO(file.st_mode) && !isatty(fd)))
        return fd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = descriptors_own(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
    return own < 0 ? fd : own;
}

static int open_pipe(struct output_stream *s)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) { /* the worker must never wait in it */
        close(ends[0]);
        close(ends[1]);
        return -1;
    }
    fchmod(ends[1], 0622); /* `>/dev/stderr` of a job that runs as somebody else, too */
    s->read_end = descriptors_own(ends[0]);
    s->write_end = descriptors_own(ends[1]);
    return 0;
}

static void close_pipe(const struct output_stream *s)
{
    descriptors_close(s->read_end);
    descriptors_close(s->write_end);
}

static void close_all(const struct output *output)
{
    for (int i = 0; i < 2; i++) {
        close_pipe(&output->stream[i]);
        if (output->stream[i].target > STDERR_FILENO)
            descriptors_close(output->stream[i].target);
    }
}

int output_open(struct output *output)
{
    int count = same_file(STDOUT_FILENO, STDERR_FILENO) ? 1 : 2;
    *output = (struct output){0};
    for (int i = 0; i < 2; i++)
        output->stream[i] =
            (struct output_stream){.read_end = -1, .write_end = -1, .text = output->text[i]};
    setvbuf(stdout, NULL, _IOLBF, 0); /* the last lines of a job that is killed are to be there */
    for (int i = 0; i < count; i++) {
        if (open_pipe(&output->stream[i]) < 0)
            return -1;
        output->stream[i].target = open_target(STDOUT_FILENO + i);
    }
    return 0;
}

void output_close(struct output *output)
{
    close_all(output);
    output->stream[0] = output->stream[1] = (struct output_stream){.read_end = -1, .write_end = -1};
}

void output_begin(struct output *output)
{
    if (output->total) /* writing to a page that a fork shares costs more than all else here */
        output->total = 0;
}

void output_attach(const struct output *output)
{
    const struct output_stream *out = &output->stream[0], *err = &output->stream[1];
    if (err->read_end < 0)
        err = out;
    fcntl(out->write_end, F_SETFL, 0); /* a job before may have set O_NONBLOCK, as node does */
    fcntl(err->write_end, F_SETFL, 0);
    dup2(out->write_end, STDOUT_FILENO);
    dup2(err->write_end, STDERR_FILENO);
}

/* --- passing on --- */

/* Keeps the last of a job's output in a ring. */
static void keep(struct output *output, const char *text, size_t len)
{
    size_t at = output->total % OUTPUT_KEPT;
    size_t first = len < OUTPUT_KEPT - at ? len : OUTPUT_KEPT - at;
    memcpy(output->kept + at, text, first);
    memcpy(output->kept, text + first, len - first);
    output->total += len;
}

static bool has_room(const struct output_stream *s, int milliseconds)
{
    struct pollfd out = {.fd = s->target, .events = POLLOUT};
    return poll(&out, 1, milliseconds) != 0; /* an error shows when writing */
}

/* Writes the text that is due. Returns false if the reader takes no more now. Where nobody reads
 * any more, or the disk is full, the text is dropped: the job may have ended already. */
static bool push(struct output_stream *s)
{
    while (s->due > 0) {
        if (!has_room(s, 0))
            return false;
        ssize_t n = write(s->target, s->text, s->due);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return false;
        size_t gone = n < 0 ? s->due : (size_t)n;
        memmove(s->text, s->text + gone, s->len -= gone);
        s->due -= gone;
    }
    return true;
}

/* How much of a full buffer may go: whole lines, if there are any. */
static size_t whole_lines(const struct output_stream *s)
{
    const char *last = memrchr(s->text, '\n', s->len);
    return last ? (size_t)(last - s->text) + 1 : s->len;
}

/* Reads a piece behind the text that is there. Returns false if the pipe is empty. */
static bool pull(struct output *output, struct output_stream *s)
{
    ssize_t n;
    do
        n = read(s->read_end, s->text + s->len, PIPE_BUF - s->len);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        keep(output, s->text + s->len, (size_t)n);
        s->len += (size_t)n;
    } else if (errno != EAGAIN)
        s->broken = true;
    if (s->len > 0)
        s->due = s->len == PIPE_BUF ? whole_lines(s) : s->len;
    return n > 0;
}

/* Passes a stream on. Returns whether the pipe is empty and everything was passed on. */
static bool pass(struct output *output, struct output_stream *s)
{
    for (int round = 0; round < ROUNDS; round++) {
        if (!push(s))
            return false;
        if (!pull(output, s))
            return push(s);
    }
    return false;
}

void output_pass(struct output *output)
{
    for (int i = 0; i < 2; i++)
        if (output->stream[i].read_end >= 0)
            pass(output, &output->stream[i]);
}

void output_watch(const struct output *output, struct events *ev)
{
    for (int i = 0; i < 2; i++) {
        const struct output_stream *s = &output->stream[i];
        bool full = s->read_end >= 0 && s->len > 0;
        events_watch(ev, EVENTS_STDOUT + i, full ? s->target : s->read_end,
                     full ? POLLOUT : POLLIN);
    }
}

/* --- the end of a job --- */

/* Waits for the reader, unless it was stuck before. Returns whether there is room. */
static bool wait_for_room(struct output_stream *s, int64_t until)
{
    int64_t left = until - clock_ms();
    s->stuck = !has_room(s, s->stuck || left < 0 ? 0 : (int)left);
    return !s->stuck;
}

/* Passes on the rest of a stream, or drops it. Returns whether the pipe is empty. */
static bool drain(struct output *output, struct output_stream *s, int64_t until)
{
    for (int tries = 0; tries < LEFT_MOST; tries++) {
        if (pass(output, s))
            return true;
        if (s->due > 0 && !wait_for_room(s, until))
            s->len = s->due = 0; /* dropped */
    }
    return false;
}

static void renew(struct output_stream *s)
{
    struct output_stream old = {.read_end = s->read_end, .write_end = s->write_end};
    if (open_pipe(s) == 0)
        close_pipe(&old);
    s->len = s->due = 0;
    s->broken = false;
}

void output_end(struct output *output, bool survivors)
{
    int64_t until = clock_after(PATIENCE);
    for (int i = 0; i < 2; i++) {
        struct output_stream *s = &output->stream[i];
        if (s->read_end >= 0 && (!drain(output, s, until) || survivors || s->broken))
            renew(s);
    }
}

/* --- what is kept --- */

static bool is_inside(char byte)
{
    return (byte & 0xC0) == 0x80; /* not the first byte of a character */
}

char *output_text(const struct output *output, size_t *len)
{
    char raw[OUTPUT_KEPT];
    bool cut = output->total > OUTPUT_KEPT;
    size_t at = cut ? output->total % OUTPUT_KEPT : 0, skip = 0;
    *len = cut ? OUTPUT_KEPT : (size_t)output->total;
    if (*len == 0)
        return NULL;
    memcpy(raw, output->kept + at, *len - at);
    memcpy(raw + *len - at, output->kept, at);
    while (cut && skip < 3 && is_inside(raw[skip]))
        skip++;
    size_t size = TEXT_PRINTABLE_SIZE(*len);
    char *text = memory_get(size);
    text_printable_lines(text, size, raw + skip, *len - skip);
    *len = strlen(text);
    return text;
}
