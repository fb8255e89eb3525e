/* joblimits.h - a job's limits, inside its process: memory, CPU time, and what the signals of the
 * others say. The clock is the worker's (child.h). */
#ifndef JOBLIMITS_H
#define JOBLIMITS_H

#include <lua.h>
#include <stdbool.h>

#include "job/limit.h"
#include "job/policy.h"
#include "options/options.h"

/* Before any fork: adds xpcall and stopped to resque.sys. May raise. */
void joblimits_install(lua_State *L, const struct options *options);

/* The job itself begins, with the worker's limits. */
void joblimits_start(lua_State *L, const struct options *options);

/* The job's table has limits of its own. */
void joblimits_change(lua_State *L, const struct job_policy *own);

/* After LUA_ERRMEM: whether the limit is why. Writes the text of the error. */
bool joblimits_refused(char text[LIMIT_TEXT]);

#endif
