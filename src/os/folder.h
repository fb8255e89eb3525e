/* folder.h - follows the name of the folder that the program was started in ($PWD). A deploy gives
 * this name to another folder: it moves a link, as Capistrano does with `current`, or puts a new
 * folder in the place of the old one. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>

/* $PWD, if it is a name of the folder that this process works in; else NULL. The caller's to free.
 */
char *folder_name(void);

/* Changes to the folder that has this name now; stays if none has. NULL: does nothing. */
void folder_follow(const char *name);

/* Whether the folder that this process works in was removed. */
bool folder_is_gone(void);

#endif
