/* needs: job/report.c base/memory.c base/plain.c base/text.c base/json_check.c job/limit.c */
/* fuzz_report.c - whatever a job writes into its report pipe, in whatever pieces it arrives: the
 * reader takes the frames that are whole, keeps its promises about texts, and does not depend on
 * the pieces. The first byte of the input says how they are cut. */
#include "job/report.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/json_check.h"

#include "fuzz.h"

#define HEADER 5

/* Reads `bytes` from a pipe into which they come `step` at a time; a step of 0 is all at once. */
static struct report receive(const uint8_t *bytes, size_t len, size_t step)
{
    int ends[2];
    struct report r = {0};
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    bool more = true;
    for (size_t at = 0; at < len && more; at += step) {
        step = step && step < len - at ? step : len - at;
        CHECK(write(ends[1], bytes + at, step) == (ssize_t)step);
        more = report_read(&r, ends[0]);
        CHECK(more == !r.broken);
    }
    close(ends[1]);
    if (more)
        CHECK(!report_read(&r, ends[0]) && !r.broken);
    close(ends[0]);
    return r;
}

/* What the frames say, told another way: the first ending, the last `started`. */
struct meaning {
    bool started, on_failure, parent_hooks, unknown, broken;
    enum report_kind kind;
    const uint8_t *body;
    size_t len;
};

static enum report_kind kind_of(uint8_t type)
{
    const char *found = type ? strchr("LDFX", type) : NULL;
    static const enum report_kind ends[] = {REPORT_LOAD, REPORT_DONE, REPORT_FAILED, REPORT_EXIT};
    return found ? ends[found - "LDFX"] : REPORT_NONE;
}

static struct meaning read_frames(const uint8_t *at, size_t left)
{
    struct meaning m = {0};
    while (left >= HEADER) {
        size_t len = at[1] + 256u * at[2] + 65536u * at[3] + 16777216u * (size_t)at[4];
        if (len > REPORT_BODY_MAX)
            m.broken = true;
        if (m.broken || len > left - HEADER)
            break;
        if (at[0] == 'S') {
            m.started = true;
            m.on_failure = len > 0 && at[HEADER] == '1';
            m.parent_hooks = len > 1 && at[HEADER + 1] == '1';
        } else if (at[0] == 'T') {
            m.on_failure = false;
        } else if (at[0] == 'U') {
            m.unknown = true;
        } else if (m.kind == REPORT_NONE && (m.kind = kind_of(at[0])) != REPORT_NONE) {
            m.body = at + HEADER;
            m.len = len;
        }
        at += HEADER + len;
        left -= HEADER + len;
    }
    return m;
}

static void check_text(const char *text, size_t most)
{
    CHECK(text && strlen(text) <= most && reference_is_utf8(text, strlen(text)));
}

static void check_end(const struct report *r, const struct meaning *m)
{
    char why[128];
    if (r->kind == REPORT_DONE) {
        CHECK(json_check(r->result, r->result_len, JSON_CHECK_DEPTH, why, sizeof why) == 0);
        bool valid =
            json_check((const char *)m->body, m->len, JSON_CHECK_DEPTH, why, sizeof why) == 0;
        CHECK(r->result_len == (valid ? m->len : 4));
        CHECK(memcmp(r->result, valid ? (const char *)m->body : "null", r->result_len) == 0);
    } else if (r->kind == REPORT_FAILED) {
        check_text(r->failure.exception, m->len);
        check_text(r->failure.message, m->len);
        check_text(r->failure.trace, m->len);
    } else if (r->kind == REPORT_LOAD) {
        check_text(r->failure.message, m->len);
    }
}

static void check_meaning(const struct report *r, const struct meaning *m)
{
    CHECK(r->started == m->started && r->kind == m->kind && r->broken == m->broken);
    CHECK(r->on_failure == m->on_failure && r->parent_hooks == m->parent_hooks);
    CHECK(r->unknown == m->unknown);
    CHECK(r->policy.timeout >= 0 && r->policy.cpu >= 0);
    CHECK(!r->failure.limit || r->kind == REPORT_FAILED);
    CHECK(r->reader.room <= 2 * (REPORT_BODY_MAX + HEADER + 1024));
    check_end(r, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct meaning m = read_frames(data + 1, size - 1);
    struct report whole = receive(data + 1, size - 1, 0);
    struct report pieces = receive(data + 1, size - 1, data[0] + 1u);
    check_meaning(&whole, &m);
    check_meaning(&pieces, &m);
    CHECK(whole.exit_code == pieces.exit_code);
    report_clear(&whole);
    report_clear(&pieces);
    CHECK(!whole.body && !whole.reader.buffer);
    return 0;
}
