/* lualib_sys.h - the Lua module `resque.sys`: clocks, ids, the terminal, files, the log, texts that
 * no locale changes.
 *
 * The same module serves the program (preloaded) and plain lua5.4 (build/lib/resque/sys.so). */
#ifndef LUALIB_SYS_H
#define LUALIB_SYS_H

#include <lauxlib.h>
#include <lua.h>

struct options;

/* The part of the module in lualib_plain.c; the list ends in NULL. */
extern const luaL_Reg lualib_plain_functions[];

/* Leaves the module table on the stack. */
int luaopen_resque_sys(lua_State *L);

/* Makes `sys.settings` (the effective settings) available in a state of the program: call it before
 * the module is loaded. `options` is borrowed for the state's life; the table is only built when
 * somebody asks for it. Lives in lualib_settings.c, so that sys.so needs no options. May raise a
 * Lua error (memory). */
void lualib_sys_set_program(lua_State *L, const struct options *options);

/* Name in the registry of the function that makes the settings table; absent in plain lua5.4. */
#define LUALIB_SYS_SETTINGS "resque.settings"

#endif
