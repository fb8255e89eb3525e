/* script_files.h - the Lua files that a script inside Redis is made of: all of lua/server/lib, in
 * alphabetical order, and its own. */
#ifndef SCRIPT_FILES_H
#define SCRIPT_FILES_H

#include <stdbool.h>
#include <stddef.h>

#define SCRIPT_FILE_NAME 64 /* bytes */

/* Writes the n-th file of `script` ("done") into `module`, as source_text takes it
 * ("server.lib.call", "server.done"). False: there are only n. Whether there is such a script shows
 * when its own file, the last, is read. */
bool script_files_name(const char *script, size_t n, char module[SCRIPT_FILE_NAME]);

#endif
