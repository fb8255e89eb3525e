/* luacode.c - see luacode.h. */
#include "luacode.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

static int append(lua_State *L, const void *bytes, size_t len, void *where)
{
    struct luacode_module *module = where;
    (void)L;
    module->bytes = memory_grow(module->bytes, module->len + len);
    memcpy(module->bytes + module->len, bytes, len);
    module->len += len;
    return 0;
}

/* The chunk is named as luahost names it, so that tracebacks read the same either way. */
static void compile(struct luacode *code, lua_State *L, const struct source_place *place, const char *name)
{
    size_t len;
    char *owned;
    const char *text = source_text(place, name, &len, &owned);
    lua_pushfstring(L, "@%s.lua", luaL_gsub(L, name, ".", "/"));
    if (text && luaL_loadbufferx(L, text, len, lua_tostring(L, -1), "t") == LUA_OK) {
        code->modules = memory_grow(code->modules, (code->count + 1) * sizeof *code->modules);
        struct luacode_module *module = &code->modules[code->count++];
        *module = (struct luacode_module){.name = name};
        lua_dump(L, append, module, 0); /* with line numbers */
    }
    lua_settop(L, 0);
    free(owned);
}

void luacode_open(struct luacode *code, const struct source_place *place)
{
    *code = (struct luacode){0};
    lua_State *L = luaL_newstate();
    const char *name;
    if (!L)
        return;
    for (size_t i = 0; (name = source_name("resque", i)); i++)
        if (strncmp(name, "resque.cli.", strlen("resque.cli.")) != 0)
            compile(code, L, place, name);
    lua_close(L);
}

void luacode_close(struct luacode *code)
{
    for (size_t i = 0; i < code->count; i++)
        free(code->modules[i].bytes);
    free(code->modules);
    *code = (struct luacode){0};
}

const char *luacode_find(const struct luacode *code, const char *module, size_t *len)
{
    for (size_t i = 0; code && i < code->count; i++)
        if (strcmp(code->modules[i].name, module) == 0) {
            *len = code->modules[i].len;
            return code->modules[i].bytes;
        }
    return NULL;
}
