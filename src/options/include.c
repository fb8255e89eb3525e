/* include.c - where job classes come from: APP_INCLUDE, or with NO_INCLUDE the folder jobs
 * alone. */
#include "options/include_list.h"
#include "options/internal.h"

static bool names_a_file(const char *list)
{
    const char *name;
    size_t len;
    return list && include_list_next(&list, &name, &len);
}

static void drop_include(struct options *options)
{
    options_replace(options, options_find("include"), NULL);
    options->scripts.include = NULL;
}

static void drop_no_include(struct options *options)
{
    options_replace(options, options_find("no-include"), "0");
    options->scripts.no_include = false;
}

/* One of the two counts: that of the stronger source. */
static int choose(struct options_parse *p)
{
    struct options *options = p->options;
    enum options_source files = options->values[options_find("include")].source;
    enum options_source none = options->values[options_find("no-include")].source;
    if (!options->scripts.include || !options->scripts.no_include)
        return 0;
    if (files == none)
        return options_fail(p, "APP_INCLUDE and NO_INCLUDE (-I and --no-include) exclude each "
                               "other\nhint: leave out one of them");
    if (files < none)
        drop_include(options);
    else
        drop_no_include(options);
    return 0;
}

int options_settle_include(struct options_parse *p)
{
    struct options *options = p->options;
    if (!names_a_file(options->scripts.include))
        drop_include(options);
    if (choose(p) < 0)
        return -1;
    if (options->command != COMMAND_WORK || options->scripts.include || options->scripts.no_include)
        return 0;
    return options_fail(p,
                        "APP_INCLUDE names no Lua file: this worker would know no job class, and "
                        "every job would fail\n"
                        "hint: APP_INCLUDE=jobs.lua or -I jobs.lua; --no-include if all classes "
                        "are files of the folder ./jobs");
}
