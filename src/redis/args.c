/* args.c - a command being built, see redis.h. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "redis/redis.h"

void redis_args_add_bytes(struct redis_args *args, const char *bytes, size_t len)
{
    if (args->count == args->room) {
        args->room = args->room ? args->room * 2 : 16;
        args->text = memory_grow(args->text, args->room * sizeof *args->text);
        args->len = memory_grow(args->len, args->room * sizeof *args->len);
    }
    args->text[args->count] = bytes;
    args->len[args->count++] = len;
}

void redis_args_add(struct redis_args *args, const char *text)
{
    redis_args_add_bytes(args, text, strlen(text));
}

void redis_args_reset(struct redis_args *args)
{
    args->count = 0;
}

void redis_args_clear(struct redis_args *args)
{
    free(args->text);
    free(args->len);
    *args = (struct redis_args){0};
}
