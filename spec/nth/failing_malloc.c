/* failing_malloc.c - linked into the program of spec/nth by `ld --wrap`: whatever in it asks for
 * memory (our own code, Lua, cjson, hiredis) asks failing.c first. A preloaded malloc could not do
 * this: AddressSanitizer has its own and asks nobody. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static bool fails(void)
{
    static bool looked;
    static bool (*now)(const char *);
    if (!looked)
        now = (bool (*)(const char *))dlsym(RTLD_DEFAULT, "failing_now");
    looked = true;
    return now && now("malloc");
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}
