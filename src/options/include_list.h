/* include_list.h - the list that APP_INCLUDE, -I and `check FILE` are: names of files with commas
 * between. Blanks around a name and items without one mean nothing. The one place that takes it
 * apart; Lua has it as sys.includes. */
#ifndef INCLUDE_LIST_H
#define INCLUDE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The next name, which is not NUL-terminated, and moves *list behind it. False: there is no more.
 */
bool include_list_next(const char **list, const char **name, size_t *len);

#endif
