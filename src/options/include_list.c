/* include_list.c - see include_list.h. */
#include "options/include_list.h"

#include <string.h>

static bool is_blank(char c)
{
    return c && strchr(" \t\r\n\v\f", c);
}

bool include_list_next(const char **list, const char **name, size_t *len)
{
    while (**list == ',' || is_blank(**list))
        ++*list;
    *name = *list;
    *len = strcspn(*list, ",");
    *list += *len;
    while (*len && is_blank((*name)[*len - 1]))
        --*len;
    return *len > 0;
}
