/* lualib_script.c - see lualib_script.h. */
#include "lua/lualib_script.h"

#include <stdlib.h>

#include <lauxlib.h>

#include "base/source.h"
#include "options/options.h"
#include "redis/script_files.h"

/*** The text of a script that runs inside Redis, with the files of lua/server/lib in front.
@function script
@tparam string name of a file of lua/server, such as "remove"
@treturn string
@raise there is no such file */
int lualib_script(lua_State *L)
{
    const struct options *options = lua_touserdata(L, lua_upvalueindex(1));
    const struct source_context context = {options ? options->scripts.lua_path : NULL};
    const char *script = luaL_checkstring(L, 1);
    char module[SCRIPT_FILE_NAME];
    luaL_Buffer b;
    luaL_buffinit(L, &b);
    for (size_t n = 0; script_files_name(script, n, module); n++) {
        size_t len;
        char *owned;
        const char *text = source_text(&context, module, &len, &owned);
        if (!text)
            return luaL_error(L, "Lua file of module %s is missing", module);
        luaL_addlstring(&b, text, len);
        luaL_addchar(&b, '\n');
        free(owned);
    }
    luaL_pushresult(&b);
    return 1;
}
