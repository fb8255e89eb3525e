/* folder.h - the folder that a program works in, by the name that it was started by ($PWD). A
 * deploy that gives this name to another folder is followed: by moving a link in it, as Capistrano
 * does with `current`, or by putting a new folder in the place of the old one. */
#ifndef FOLDER_H
#define FOLDER_H

#include <stdbool.h>

/* $PWD, if it is a name of the folder that this process works in; else NULL. The caller's to free.
 */
char *folder_name(void);

/* Goes where that name leads by now; stays where it is if that is nowhere. NULL: nothing. */
void folder_follow(const char *name);

/* Whether the folder that this process works in was removed. */
bool folder_is_gone(void);

#endif
