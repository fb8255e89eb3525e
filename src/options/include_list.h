/* include_list.h - takes the list of APP_INCLUDE, -I and `check FILE` apart: names of files,
 * separated by commas. Blanks around a name and empty items mean nothing. Lua calls it as
 * sys.includes. */
#ifndef INCLUDE_LIST_H
#define INCLUDE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Reads the next name, which is not NUL-terminated, and moves *list behind it. False: there is
 * none.
 */
bool include_list_next(const char **list, const char **name, size_t *len);

#endif
