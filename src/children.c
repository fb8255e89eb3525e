/* children.c - see children.h. */
#include "children.h"

#include <stdio.h>
#include <unistd.h>

int children_list(pid_t list[], int room)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "re");
    while (file && count < room && fscanf(file, "%d", &list[count]) == 1)
        count++;
    if (file)
        fclose(file);
    return count;
}
