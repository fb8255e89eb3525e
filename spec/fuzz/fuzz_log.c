/* needs: base/log.c base/text.c base/json_check.c */
/* fuzz_log.c - one event is one line: any text, any names of worker and job, plain and JSON. The
 * input's first byte says which, its lines are the worker, the job and then the text. */
#include "base/log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/json_check.h"

#include "fuzz.h"

static int file = -1; /* what the log writes to */
static char path[64];

static void open_log(uint8_t how)
{
    static int opened = -1;
    struct log_settings settings = {how & 2 ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, how & 1, path};
    if (file < 0) {
        file = memfd_create("log", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    CHECK(file >= 0 && ftruncate(file, 0) == 0);
    if (opened != (how & 3))
        CHECK(log_open(&settings) == 0);
    opened = how & 3;
}

static bool is_control(const char *at)
{
    const uint8_t *s = (const uint8_t *)at;
    return s[0] < ' ' || s[0] == 0x7F || (s[0] == 0xC2 && s[1] < 0xA0);
}

/* The lines that were written: `count` of them. */
static void check_lines(int count, bool json)
{
    static char text[4 * LOG_LINE];
    char why[128];
    ssize_t len = pread(file, text, sizeof text - 1, 0);
    CHECK(len > 0);
    text[len] = '\0';
    for (char *line = text; count > 0; count--) {
        char *end = strchr(line, '\n');
        CHECK(end && end + 1 - line <= LOG_LINE);
        *end = '\0';
        CHECK(reference_is_utf8(line, strlen(line)));
        for (const char *at = line; *at; at++)
            CHECK(!is_control(at));
        CHECK(json ? json_check(line, strlen(line), 1, why, sizeof why) == 0 : line[0] == '*');
        line = end + 1;
        CHECK(count > 1 || line == text + len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size), *rest = text;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    const char *worker = strsep(&rest, "\n"), *job = rest ? strsep(&rest, "\n") : NULL;
    open_log(data[0]);
    log_set_worker(worker);
    log_set_job(job);
    log_error("%s", rest ? rest : worker);
    log_info("(Job{%s} | %s)", worker, rest ? rest : "");
    log_debug("%s", worker);
    check_lines(data[0] & 2 ? 3 : 2, data[0] & 1);
    log_set_worker(NULL);
    log_set_job(NULL);
    free(text);
    return 0;
}
