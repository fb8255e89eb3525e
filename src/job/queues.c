/* queues.c - see queues.h. Pure text; the names come from the caller. */
#include "job/queues.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static bool has_wildcard(const char *entry)
{
    return strpbrk(entry, "*?[") != NULL;
}

static bool entry_matches(const char *entry, const char *name)
{
    if (strcmp(entry, "*") == 0)
        return true;
    if (!has_wildcard(entry))
        return strcmp(entry, name) == 0;
    return fnmatch(entry, name, FNM_PERIOD) == 0;
}

static bool any_matches(char *const *entries, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (entry_matches(entries[i], name))
            return true;
    return false;
}

static void append(char ***list, size_t *count, const char *text, size_t len)
{
    *list = memory_grow(*list, (*count + 1) * sizeof **list);
    (*list)[(*count)++] = memory_copy(text, len);
}

static void free_list(char ***list, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        free((*list)[i]);
    free(*list);
    *list = NULL;
    *count = 0;
}

static void add_entry(struct queues *q, const char *text, size_t len)
{
    while (len && strchr(" \t\r\n", text[0]))
        text++, len--;
    while (len && strchr(" \t\r\n", text[len - 1]))
        len--;
    if (!len)
        return;
    if (text[0] == '!')
        append(&q->excluded, &q->excluded_count, text + 1, len - 1);
    else
        append(&q->patterns, &q->pattern_count, text, len);
}

static char *join(char *const *entries, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += strlen(entries[i]) + 1;
    char *text = memory_get(len + 1);
    for (size_t i = 0; i < count; i++) {
        strcat(text, i ? "," : "");
        strcat(text, entries[i]);
    }
    return text;
}

int queues_parse(struct queues *q, const char *list, char *err, size_t err_size)
{
    *q = (struct queues){0};
    for (const char *end; *list; list = *end ? end + 1 : end) {
        end = strchr(list, ',');
        end = end ? end : list + strlen(list);
        add_entry(q, list, (size_t)(end - list));
    }
    if (!q->pattern_count) {
        snprintf(
            err, err_size, "%s",
            q->excluded_count
                ? "QUEUE only says what to leave out\nhint: QUEUE='*,!low' works everything but low"
                : "QUEUE names no queue\nhint: QUEUE=mail,default, or QUEUE='*' for all");
        queues_clear(q);
        return -1;
    }
    for (size_t i = 0; i < q->pattern_count; i++)
        q->dynamic = q->dynamic || has_wildcard(q->patterns[i]);
    q->label = join(q->patterns, q->pattern_count);
    queues_expand(q, NULL, 0);
    return 0;
}

void queues_clear(struct queues *q)
{
    free_list(&q->patterns, &q->pattern_count);
    free_list(&q->excluded, &q->excluded_count);
    free_list(&q->names, &q->count);
    free(q->label);
    *q = (struct queues){0};
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether an entry before the n-th has brought this name already; a pattern brings only names that
 * are known. */
static bool came_before(const struct queues *q, size_t n, const char *name, bool known)
{
    for (size_t i = 0; i < n; i++)
        if ((known || !has_wildcard(q->patterns[i])) && entry_matches(q->patterns[i], name))
            return true;
    return false;
}

static void add_name(struct queues *q, size_t n, const char *name, bool known)
{
    if (!any_matches(q->excluded, q->excluded_count, name) && !came_before(q, n, name, known))
        append(&q->names, &q->count, name, strlen(name));
}

void queues_expand(struct queues *q, const char **known, size_t count)
{
    free_list(&q->names, &q->count);
    if (count)
        qsort(known, count, sizeof *known, by_bytes);
    for (size_t n = 0; n < q->pattern_count; n++) {
        const char *entry = q->patterns[n];
        if (!has_wildcard(entry)) {
            add_name(q, n, entry, count && bsearch(&entry, known, count, sizeof *known, by_bytes));
            continue;
        }
        for (size_t k = 0; k < count; k++)
            if (entry_matches(entry, known[k]))
                add_name(q, n, known[k], true);
    }
}

bool queues_match(const struct queues *q, const char *name)
{
    return any_matches(q->patterns, q->pattern_count, name) &&
           !any_matches(q->excluded, q->excluded_count, name);
}
