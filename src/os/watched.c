/* watched.c - see watched.h. */
#include "os/watched.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"

/* FNV-1a: any mixing would do, nobody attacks it. */
static uint64_t mix(uint64_t sum, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        sum = (sum ^ (value >> 8 * i & 0xff)) * UINT64_C(1099511628211);
    return sum;
}

/* Sums up what shows a change. ctime is part of it because `cp -p` over a file of the same size
 * keeps the other times. */
static uint64_t state_of(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return 0;
    uint64_t sum = UINT64_C(14695981039346656037);
    sum = mix(sum, (uint64_t)st.st_dev);
    sum = mix(sum, (uint64_t)st.st_ino);
    sum = mix(sum, (uint64_t)st.st_size);
    sum = mix(sum, (uint64_t)st.st_mtim.tv_sec);
    sum = mix(sum, (uint64_t)st.st_mtim.tv_nsec);
    sum = mix(sum, (uint64_t)st.st_ctim.tv_sec);
    return mix(sum, (uint64_t)st.st_ctim.tv_nsec);
}

void watched_add(struct watched *w, const char *path)
{
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->files[i].path, path) == 0)
            return;
    w->files = memory_grow(w->files, (w->count + 1) * sizeof *w->files);
    w->files[w->count++] = (struct watched_file){memory_copy(path, strlen(path)), state_of(path)};
}

bool watched_changed(const struct watched *w)
{
    for (size_t i = 0; i < w->count; i++)
        if (state_of(w->files[i].path) != w->files[i].state)
            return true;
    return false;
}

void watched_clear(struct watched *w)
{
    for (size_t i = 0; i < w->count; i++)
        free(w->files[i].path);
    free(w->files);
    *w = (struct watched){0};
}
