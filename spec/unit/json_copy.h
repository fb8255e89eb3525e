/* json_copy.h - what the tests of json_check share. */
#ifndef JSON_COPY_H
#define JSON_COPY_H

#include <stdlib.h>
#include <string.h>

#include "base/json_check.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Checks a copy that is exactly as long as the text, so that the sanitizer sees a byte read past
 * its end. */
static inline int check(const char *text, size_t len, int max_depth, char err[100])
{
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    int result = json_check(copy, len, max_depth, err, 100);
    free(copy);
    return result;
}

#endif
