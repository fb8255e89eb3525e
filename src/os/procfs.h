/* procfs.h - whether /proc speaks of the same processes as we do. */
#ifndef PROCFS_H
#define PROCFS_H

#include <stdbool.h>

/* False where it is not mounted, or counts for another pid namespace (unshare --pid without
 * --mount-proc): what stands under a pid there is of somebody else. */
bool procfs_is_ours(void);

#endif
