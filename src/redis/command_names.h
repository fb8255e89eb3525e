/* command_names.h - what the name of a command means for the connection that it is sent on. */
#ifndef REDIS_NAMES_H
#define REDIS_NAMES_H

#include <stdbool.h>

/* Whether the command changes the state of its connection (SELECT, SUBSCRIBE), which would be lost
 * unseen when the connection is opened again. */
bool redis_name_is_refused(const char *name);

/* Whether the command may wait inside Redis for as long as its arguments say. */
bool redis_name_is_blocking(const char *name);

/* Notes whether the connection is inside a transaction after this command. */
void redis_name_in_transaction(const char *name, bool *inside);

#endif
