/* answer_pidfd.c - preloaded under a tool that does not know pidfd_open (Debian 12's valgrind),
 * answers it with a descriptor that tells nothing, so that a program that asks for one starts. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>

long syscall(long number, ...)
{
    static long (*next)(long, ...);
    long a[6];
    va_list list;
    va_start(list, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (!next)
        *(void **)&next = dlsym(RTLD_NEXT, "syscall");
    if (number == SYS_pidfd_open)
        return eventfd(0, EFD_CLOEXEC);
    return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
