/* needs: os/title.c base/text.c */
/* fuzz_title.c - a title is printable, begins as Ruby's pruning wants it and fits, whatever the
 * prefix (the input's first line), queue (the second) and class (the rest) are. */
#include "os/title.h"

#include <errno.h>
#include <unistd.h>

#include "fuzz.h"

#define AREA 1500

static char area[AREA + 1]; /* stands for the space of argv */

static void take_area(void)
{
    static char *list[] = {area, NULL};
    char *no_variables[] = {NULL}, **argv = list, **variables = environ;
    char *name = program_invocation_name, *short_name = program_invocation_short_name;
    memset(area, 'x', AREA);
    environ = no_variables;
    CHECK(title_init(1, &argv) == 0);
    environ = variables;
    program_invocation_name = name;
    program_invocation_short_name = short_name;
}

static void check_title(const char *title, const char *prefix)
{
    size_t len = strlen(title);
    CHECK(len <= AREA && reference_is_utf8(title, len));
    CHECK(!strstr(title, "resque-web"));
    const char *name = strstr(title, "resque-1.");
    CHECK(name);
    CHECK(prefix[0] || name == title);
    for (const uint8_t *s = (const uint8_t *)title; *s; s++)
        CHECK(*s >= ' ' && *s != 0x7F && !(s[0] == 0xC2 && s[1] < 0xA0));
    for (size_t i = len; i < AREA; i++)
        CHECK(area[i] == '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), *rest = text;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!area[0])
        take_area();
    const char *prefix = strsep(&rest, "\n"), *queue = rest ? strsep(&rest, "\n") : "";
    title_set_prefix(prefix);
    title_set("Processing %s since %s [%s]", queue, "2012-01-16 13:42:55", rest ? rest : "");
    check_title(area, prefix);
    title_set("Paused");
    check_title(area, prefix);
    title_set_prefix(NULL);
    free(text);
    return 0;
}
