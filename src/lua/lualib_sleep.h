/* lualib_sleep.h - `resque.sys.sleep`. */
#ifndef LUALIB_SLEEP_H
#define LUALIB_SLEEP_H

#include <lua.h>
#include <stdbool.h>

int lualib_sleep(lua_State *L);

/* A signal that does nothing is not to end a sleep: no system call that waits for a time goes on by
 * itself behind a handler. `was_nothing` tells whether none but such came since it was last called.
 */
void lualib_sleep_through(bool (*was_nothing)(void));

#endif
