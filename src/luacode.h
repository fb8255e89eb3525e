/* luacode.h - our own Lua modules, compiled once before any fork: a job's fresh state then loads bytecode, which is
 * several times quicker than compiling text (spec/bench/fork.lua measures it). Users' scripts are always text. */
#ifndef LUACODE_H
#define LUACODE_H

#include <stddef.h>

#include "source.h"

struct luacode {
    struct luacode_module {
        const char *name; /* borrowed from the embedded table */
        char *bytes;
        size_t len;
    } *modules;
    size_t count;
};

/* Compiles resque.* but the commands. What does not compile is left out: whoever requires it gets the message. */
void luacode_open(struct luacode *code, const struct source_place *place);
void luacode_close(struct luacode *code);

/* The bytecode of a module; NULL: there is none (also with code NULL). Owned by `code`. */
const char *luacode_find(const struct luacode *code, const char *module, size_t *len);

#endif
