/* procfs.h - tells whether /proc shows the processes of this program's pid namespace. */
#ifndef PROCFS_H
#define PROCFS_H

#include <stdbool.h>

/* False where /proc is not mounted, or is of another pid namespace (unshare --pid without
 * --mount-proc): a pid there names another process. */
bool procfs_is_ours(void);

#endif
