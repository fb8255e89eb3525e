/* source.c - see source.h. */
#include "base/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "base/memory.h"

static const struct embedded *find(const char *module)
{
    for (const struct embedded *e = embedded_files; e->module; e++)
        if (strcmp(e->module, module) == 0)
            return e;
    return NULL;
}

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = NULL;
    size_t got, room = 0;
    *len = 0;
    do {
        room += 16384;
        text = memory_grow(text, room + 1);
        got = fread(text + *len, 1, room - *len, file);
        *len += got;
    } while (*len == room);
    text[*len] = '\0';
    fclose(file);
    return text;
}

const char *source_text(const struct source_context *context, const char *module, size_t *len,
                        char **owned)
{
    const struct embedded *e = find(module);
    *owned = NULL;
    if (!e)
        return NULL;
    if (!context->folder) {
        *len = (size_t)(e->end - e->text);
        return e->text;
    }
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", context->folder, e->file + strlen("lua/")) >=
        (int)sizeof path)
        return NULL;
    return *owned = read_file(path, len);
}

const char *source_name(const char *start, size_t n)
{
    for (const struct embedded *e = embedded_files; e->module; e++)
        if (strncmp(e->module, start, strlen(start)) == 0 && n-- == 0)
            return e->module;
    return NULL;
}
