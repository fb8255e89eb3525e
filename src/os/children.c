/* children.c - see children.h. */
#include "os/children.h"

#include <stdio.h>
#include <unistd.h>

void children_file(char path[CHILDREN_FILE_SIZE])
{
    snprintf(path, CHILDREN_FILE_SIZE, "/proc/self/task/%d/children", (int)getpid());
}

int children_list(pid_t list[], int room)
{
    char path[CHILDREN_FILE_SIZE];
    int count = 0;
    children_file(path);
    FILE *file = fopen(path, "re");
    if (!file)
        return -1;
    while (count < room && fscanf(file, "%d", &list[count]) == 1)
        count++;
    fclose(file);
    return count;
}
