/* needs: job/queues.c base/memory.c */
/* fuzz_queues.c - QUEUE's text, then on further lines the queues that are known: the expansion
 * holds each queue once, only what an entry asks for and none that is left out, in order. */
#include "job/queues.h"

#include "fuzz.h"

#define KNOWN 64

static bool is_wild(const char *entry)
{
    return strpbrk(entry, "*?[") != NULL;
}

static bool is_known(const char *const *known, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i], name) == 0)
            return true;
    return false;
}

static bool in_expansion(const struct queues *q, const char *name)
{
    return is_known((const char *const *)q->names, q->count, name);
}

static void check_entries(char *const *entries, size_t count, bool may_be_empty)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(entries[i]);
        CHECK(may_be_empty || len > 0);
        CHECK(!strchr(entries[i], ','));
        CHECK(len == 0 || !strchr(" \t\r\n", entries[i][len - 1]));
    }
}

static void check_names(const struct queues *q, const char *const *known, size_t count)
{
    for (size_t i = 0; i < q->count; i++) {
        bool literal = is_known((const char *const *)q->patterns, q->pattern_count, q->names[i]);
        CHECK(queues_match(q, q->names[i]) || (literal && is_wild(q->names[i]) == false));
        CHECK(literal || is_known(known, count, q->names[i]));
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(q->names[i], q->names[k]) != 0);
    }
    for (size_t i = 0; i < count; i++)
        CHECK(in_expansion(q, known[i]) == queues_match(q, known[i]));
    for (size_t i = 0; i < q->pattern_count; i++)
        if (!is_wild(q->patterns[i]) && queues_match(q, q->patterns[i]))
            CHECK(in_expansion(q, q->patterns[i]));
}

/* With one pattern the names are sorted. */
static void check_order(const struct queues *q)
{
    for (size_t i = 1; q->pattern_count == 1 && i < q->count; i++)
        CHECK(strcmp(q->names[i - 1], q->names[i]) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest = text, err[256] = "";
    const char *known[KNOWN];
    size_t count = 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const char *list = strsep(&rest, "\n");
    while (rest && count < KNOWN) {
        const char *name = strsep(&rest, "\n");
        if (!is_known(known, count, name)) /* they are the members of a set */
            known[count++] = name;
    }
    struct queues q;
    if (queues_parse(&q, list, err, sizeof err) < 0) {
        CHECK(strstr(err, "\nhint: ") && !q.patterns && !q.names && !q.label);
    } else {
        CHECK(q.pattern_count > 0 && q.label);
        check_entries(q.patterns, q.pattern_count, false);
        check_entries(q.excluded, q.excluded_count, true);
        queues_expand(&q, known, count);
        check_names(&q, known, count);
        check_order(&q);
        queues_clear(&q);
        CHECK(!q.patterns && !q.excluded && !q.names && !q.label);
    }
    free(text);
    return 0;
}
