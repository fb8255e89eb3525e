/* include.c - where job classes come from: APP_INCLUDE, or with NO_INCLUDE the folder jobs
 * alone. */
#include "options/include_list.h"
#include "options/internal.h"

static bool names_a_file(const char *list)
{
    const char *name;
    size_t len;
    return list && includes_next(&list, &name, &len);
}

static void drop_include(struct options *o)
{
    options_replace(o, options_find("include"), NULL);
    o->include = NULL;
}

static void drop_no_include(struct options *o)
{
    options_replace(o, options_find("no-include"), "0");
    o->no_include = false;
}

/* One of the two counts: that of the stronger source. */
static int choose(struct options_parse *p)
{
    struct options *o = p->o;
    enum options_source files = o->values[options_find("include")].source;
    enum options_source none = o->values[options_find("no-include")].source;
    if (!o->include || !o->no_include)
        return 0;
    if (files == none)
        return options_fail(p, "APP_INCLUDE and NO_INCLUDE (-I and --no-include) exclude each "
                               "other\nhint: leave out one of them");
    if (files < none)
        drop_include(o);
    else
        drop_no_include(o);
    return 0;
}

int options_settle_include(struct options_parse *p)
{
    struct options *o = p->o;
    if (!names_a_file(o->include))
        drop_include(o);
    if (choose(p) < 0)
        return -1;
    if (o->command != COMMAND_WORK || o->include || o->no_include)
        return 0;
    return options_fail(p,
                        "APP_INCLUDE names no Lua file: this worker would know no job class, and "
                        "every job would fail\n"
                        "hint: APP_INCLUDE=jobs.lua or -I jobs.lua; --no-include if all classes "
                        "are files of the folder ./jobs");
}
