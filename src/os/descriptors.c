/* descriptors.c - see descriptors.h. */
#include "os/descriptors.h"

#include <stddef.h>
#include <unistd.h>

#include "base/memory.h"

/* Process-wide by nature, as the descriptors are. */
static struct {
    int *fd;
    size_t count, room;
} list;

int descriptors_own(int fd)
{
    if (fd < 0)
        return fd;
    if (list.count == list.room) {
        list.room = list.room ? list.room * 2 : 16;
        list.fd = memory_grow(list.fd, list.room * sizeof *list.fd);
    }
    return list.fd[list.count++] = fd;
}

void descriptors_disown(int fd)
{
    for (size_t i = 0; i < list.count; i++)
        if (list.fd[i] == fd) {
            list.fd[i] = list.fd[--list.count];
            return;
        }
}

void descriptors_close(int fd)
{
    if (fd < 0)
        return;
    descriptors_disown(fd);
    close(fd);
}

void descriptors_let_go(void)
{
    for (size_t i = 0; i < list.count; i++)
        close(list.fd[i]);
    list.count = 0;
}
