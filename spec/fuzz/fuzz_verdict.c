/* needs: worker/verdict.c worker/kill_reason.c job/outcome.c job/limit.c os/signals.c */
/* needs: base/memory.c base/plain.c base/text.c */
/* fuzz_verdict.c - every report with every wait status has an outcome, and one that agrees with the
 * rules that people rely on. Four bytes say what was reported and how the process ended; the rest
 * is its text. */
#include "worker/verdict.h"

#include <sys/wait.h>

#include "fuzz.h"

static void check_rules(const struct outcome *o, const struct report *r, int status)
{
    bool success =
        r->kind == REPORT_DONE || (r->kind == REPORT_EXIT && r->started && r->exit_code == 0);
    CHECK((o->kind == OUTCOME_DONE) == success);
    CHECK(success ? o->result && !o->error : o->error && o->exception && !o->result);
    if (r->started || r->kind == REPORT_FAILED)
        CHECK(o->kind != OUTCOME_PUT_BACK); /* what has begun is never run again */
    else if (!success)
        CHECK(o->kind == OUTCOME_PUT_BACK);
    if (r->kind == REPORT_FAILED)
        CHECK(strcmp(o->error, r->failure.message) == 0 &&
              strcmp(o->trace, r->failure.trace) == 0 && !o->dirty);
    if (r->kind == REPORT_NONE && WIFSIGNALED(status))
        CHECK(strstr(o->error, "killed by signal "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    char *text = malloc(size - 3);
    memcpy(text, data + 4, size - 4);
    text[size - 4] = '\0';
    int status = data[2] | data[3] << 8;
    if (!WIFEXITED(status) && !WIFSIGNALED(status))
        status = 0; /* wait does not tell of stopped processes unless it is asked to */
    struct report r = {.started = data[0] & 1,
                       .kind = (enum report_kind)(data[1] % 5),
                       .exit_code = data[0] >> 1,
                       .result = text,
                       .result_len = size - 4,
                       .failure.exception = text,
                       .failure.message = text,
                       .failure.trace = text};
    struct outcome o, copy;
    const struct death death = {.report = &r,
                                .started = r.started,
                                .wait_status = status,
                                .reason = data[0] & 0x80 ? KILL_USR1 : KILL_NONE};
    verdict_by_table(&o, &death);
    check_rules(&o, &r, status);
    outcome_copy(&copy, &o);
    CHECK(copy.kind == o.kind && copy.result_len == o.result_len && !copy.tell);
    outcome_clear(&o);
    outcome_clear(&copy);
    free(text);
    return 0;
}
