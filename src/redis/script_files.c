/* script_files.c - see script_files.h. */
#include "redis/script_files.h"

#include <stdio.h>

#include "base/source.h"

bool script_files_name(const char *script, size_t n, char module[SCRIPT_FILE_NAME])
{
    const char *lib = source_name("server.lib.", n);
    if (lib) {
        snprintf(module, SCRIPT_FILE_NAME, "%s", lib);
        return true;
    }
    snprintf(module, SCRIPT_FILE_NAME, "server.%s", script);
    return n == 0 || source_name("server.lib.", n - 1);
}
