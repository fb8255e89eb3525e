/* report.c - see report.h. */
#include "job/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_check.h"
#include "base/memory.h"
#include "base/plain.h"
#include "base/text.h"
#include "job/limit.h"

#define HEADER 5
#define TEXT_MAX (REPORT_BODY_MAX / 4 - 16) /* of each text of a failure */

/* --- the job's end --- */

static int write_all(int fd, const void *bytes, size_t len)
{
    for (const char *at = bytes; len;) {
        ssize_t n = write(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static int send_frame(int fd, char type, const void *body, size_t len)
{
    unsigned char *frame = memory_get(HEADER + len);
    frame[0] = (unsigned char)type;
    for (int i = 0; i < 4; i++)
        frame[1 + i] = (unsigned char)(len >> 8 * i);
    if (len)
        memcpy(frame + HEADER, body, len);
    int result = write_all(fd, frame, HEADER + len);
    free(frame);
    return result;
}

int report_send_started(int fd, bool on_failure, bool parent_hooks)
{
    const char flags[] = {on_failure ? '1' : '0', parent_hooks ? '1' : '0'};
    return send_frame(fd, 'S', flags, sizeof flags);
}

int report_send_load(int fd, const char *message)
{
    return send_frame(fd, 'L', message, strnlen(message, TEXT_MAX));
}

int report_send_done(int fd, const char *json, size_t len)
{
    bool fits = len <= REPORT_BODY_MAX;
    return send_frame(fd, 'D', fits ? json : "null", fits ? len : 4);
}

/* Sends numbers as text, infinite ones as "inf": exact, and short however large they are. */
int report_send_policy(int fd, const struct job_policy *policy)
{
    char text[128];
    int len = plain_format(text, sizeof text, "%.17g %zu %.17g %d", policy->timeout, policy->memory,
                           policy->cpu, policy->requeue);
    return send_frame(fd, 'P', text, (size_t)len);
}

int report_send_failed(int fd, const char *exception, const char *message, const char *trace,
                       const char *limit)
{
    const char *texts[] = {exception, message, trace, limit};
    char *body = memory_get(4 * (TEXT_MAX + 1));
    size_t len = 0;
    for (int i = 0; i < 4; i++) {
        size_t part = strnlen(texts[i], TEXT_MAX);
        memcpy(body + len, texts[i], part);
        len += part + 1; /* memory_get zeroed the NUL */
    }
    int result = send_frame(fd, 'F', body, len);
    free(body);
    return result;
}

int report_send_exit(int fd, int code)
{
    char text[16];
    int len = snprintf(text, sizeof text, "%d", code);
    return send_frame(fd, 'X', text, (size_t)len);
}

int report_send_telling(int fd)
{
    return send_frame(fd, 'T', "", 0);
}

int report_send_unknown(int fd)
{
    return send_frame(fd, 'U', "", 0);
}

/* --- the worker's end --- */

static size_t body_len(const unsigned char *frame)
{
    return frame[1] | (size_t)frame[2] << 8 | (size_t)frame[3] << 16 | (size_t)frame[4] << 24;
}

/* The next of three NUL-separated texts, made valid UTF-8; "" past the end (the body is followed by
 * a NUL). */
static const char *next_text(char **at, char *end)
{
    char *text = *at < end ? *at : end;
    size_t len = strlen(text);
    text_clean_utf8(text, len);
    *at = text + len + 1;
    return text;
}

static const char *known_limit(const char *text)
{
    for (enum limit which = LIMIT_NONE + 1; which < LIMIT_COUNT; which++)
        if (strcmp(text, limit_name(which)) == 0)
            return limit_name(which);
    return NULL;
}

static double positive(double value)
{
    return value > 0 ? value : 0; /* nan, too */
}

static void take_policy(struct report *r, const unsigned char *body, size_t len)
{
    char text[128];
    struct job_policy p;
    snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : 0), (const char *)body);
    if (plain_scan(text, "%lf %zu %lf %d", &p.timeout, &p.memory, &p.cpu, &p.requeue) != 4)
        return;
    p.timeout = positive(p.timeout);
    p.cpu = positive(p.cpu);
    if (p.requeue > POLICY_REQUEUE_MAX)
        p.requeue = POLICY_REQUEUE_MAX;
    r->policy = p;
}

static void take_failed(struct report *r, size_t len)
{
    char *at = r->body, *end = r->body + len;
    r->failure.exception = next_text(&at, end);
    r->failure.message = next_text(&at, end);
    r->failure.trace = next_text(&at, end);
    r->failure.limit = known_limit(next_text(&at, end));
    r->kind = REPORT_FAILED;
}

static void take_done(struct report *r, size_t len)
{
    char why[128];
    bool valid = json_check(r->body, len, JSON_CHECK_DEPTH, why, sizeof why) == 0;
    r->result = valid ? r->body : "null";
    r->result_len = valid ? len : 4;
    r->kind = REPORT_DONE;
}

static void take_frame(struct report *r, char type, const unsigned char *body, size_t len)
{
    if (type == 'S') {
        r->started = true;
        r->on_failure = len > 0 && body[0] == '1';
        r->parent_hooks = len > 1 && body[1] == '1';
        r->policy.requeue = -1;
        return;
    }
    if (type == 'P') {
        take_policy(r, body, len);
        return;
    }
    if (type == 'T') {
        r->on_failure = false;
        return;
    }
    if (type == 'U') {
        r->unknown = true;
        return;
    }
    if (r->kind != REPORT_NONE) /* the first ending counts */
        return;
    free(r->body);
    r->body = memory_copy((const char *)body, len);
    r->failure.message = r->body;
    if (type == 'D') {
        take_done(r, len);
    } else if (type == 'F') {
        take_failed(r, len);
    } else if (type == 'L') {
        text_clean_utf8(r->body, len);
        r->kind = REPORT_LOAD;
    } else if (type == 'X') {
        r->exit_code = atoi(r->body);
        r->kind = REPORT_EXIT;
    }
}

/* Takes whole frames off the front of the buffer. False: what came is no frame, nothing after it
 * counts. */
static bool take_frames(struct report *r)
{
    size_t at = 0;
    while (r->reader.got - at >= HEADER) {
        size_t len = body_len(r->reader.buffer + at);
        if (len > REPORT_BODY_MAX)
            return false;
        if (r->reader.got - at - HEADER < len)
            break;
        take_frame(r, (char)r->reader.buffer[at], r->reader.buffer + at + HEADER, len);
        at += HEADER + len;
    }
    memmove(r->reader.buffer, r->reader.buffer + at, r->reader.got - at);
    r->reader.got -= at;
    return true;
}

bool report_read(struct report *r, int fd)
{
    for (;;) {
        if (r->reader.room - r->reader.got < 512) {
            r->reader.room = r->reader.room ? r->reader.room * 2 : 1024;
            r->reader.buffer = memory_grow(r->reader.buffer, r->reader.room);
        }
        ssize_t n = read(fd, r->reader.buffer + r->reader.got, r->reader.room - r->reader.got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return true;
        if (n == 0)
            return false;
        r->reader.got += n > 0 ? (size_t)n : 0;
        r->broken = n < 0 || !take_frames(r);
        if (r->broken)
            return false;
    }
}

void report_clear(struct report *r)
{
    free(r->body);
    free(r->reader.buffer);
    *r = (struct report){0};
}
