/* joblimits.h - sets a job's limits inside its process: memory, CPU time, and the texts of their
 * errors. The worker measures the time; limit.h has the map. */
#ifndef JOBLIMITS_H
#define JOBLIMITS_H

#include <lua.h>
#include <stdbool.h>

#include "job/limit.h"
#include "job/policy.h"
#include "options/options.h"

/* Before any fork: adds xpcall and stopped to resque.sys. May raise. */
void joblimits_install(lua_State *L, const struct options *options);

/* Sets the worker's limits; called when the job itself begins. */
void joblimits_start(lua_State *L, const struct options *options);

/* Sets the limits that the job's table has. */
void joblimits_change(lua_State *L, const struct job_policy *own);

/* Whether the limit was the reason of a LUA_ERRMEM; if so, writes the text of the error. */
bool joblimits_refused(char text[LIMIT_TEXT]);

#endif
