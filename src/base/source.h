/* source.h - the text of our own Lua files: embedded, or from RESQUE_LUA_PATH while developing. */
#ifndef SOURCE_H
#define SOURCE_H

#include <stddef.h>

/* Where to read from instead of the embedded files; not owned; NULL: the embedded ones. */
struct source_context {
    const char *folder;
};

/* The text of module "resque.json" or "server.done". Embedded text is borrowed and *owned is NULL;
 * text read from a file is allocated, the caller frees *owned. NULL: there is no such file (or it
 * cannot be read). */
const char *source_text(const struct source_context *context, const char *module, size_t *len,
                        char **owned);

/* Calls for every embedded module whose name starts with `start`, in the order of names: the n-th
 * name, or NULL past the last. */
const char *source_name(const char *start, size_t n);

#endif
