/* includes.h - the files of APP_INCLUDE, as files: have they changed? */
#ifndef INCLUDES_H
#define INCLUDES_H

#include <stdint.h>

/* A number that changes when one of the files of the comma list is replaced, edited or removed.
 * NULL: 0. */
uint64_t includes_signature(const char *list);

#endif
