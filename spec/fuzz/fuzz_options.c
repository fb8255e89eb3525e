/* needs: options/value.c options/table.c base/text.c base/memory.c */
/* fuzz_options.c - a setting takes a text or says why not; what it takes is in a form that it takes
 * again unchanged. The input's first byte says which setting. */
#include "options/internal.h"

#include "fuzz.h"

static void check_message(const char *err)
{
    const char *hint = strstr(err, "\nhint: ");
    CHECK(hint && !strchr(hint + 1, '\n'));
    CHECK(reference_is_utf8(err, strlen(err)));
}

static void check_number(const struct options_setting *s, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    CHECK(end > text && *end == '\0' && number >= s->min && number <= s->max);
}

static void check_crash(const struct options_setting *s, const char *text)
{
    static const char requeue[] = "requeue:";
    if (strcmp(text, "fail") == 0)
        return;
    CHECK(strncmp(text, requeue, sizeof requeue - 1) == 0);
    check_number(s, text + sizeof requeue - 1);
}

/* The canonical text of row `i`, which has just taken one. */
static void check_taken(struct options_parse *p, size_t i)
{
    const struct options_setting *s = &options_settings[i];
    char *text = strdup(p->options->values[i].text);
    if (s->type == OPTIONS_SWITCH)
        CHECK(strcmp(text, "0") == 0 || strcmp(text, "1") == 0);
    else if (s->type == OPTIONS_CRASH)
        check_crash(s, text);
    else if (s->type != OPTIONS_TEXT && s->type != OPTIONS_FILE && s->type != OPTIONS_CHOICE)
        check_number(s, text);
    CHECK(options_take(p, i, text, OPTIONS_FLAG, NULL, "again") == 0);
    CHECK(strcmp(p->options->values[i].text, text) == 0);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size), err[1024] = "";
    size_t i = data[0] % options_setting_count;
    struct options o = {.values = calloc(options_setting_count, sizeof *o.values)};
    struct options_parse p = {.options = &o, .err = err, .err_size = sizeof err};
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (options_take(&p, i, text, OPTIONS_ENVIRONMENT, "NAME", "NAME") == 0)
        check_taken(&p, i);
    else
        check_message(err);
    options_replace(&o, i, NULL);
    free(o.values);
    free(text);
    return 0;
}
