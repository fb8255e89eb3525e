/* kernel.h - what the kernel has to be able to do for us, and what it should tell; looked at once,
 * when the manager starts. Old kernels, sandboxes like gVisor and seccomp filters of containers
 * leave some of it out. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>

/* Tries each call that workers and jobs cannot do without, on this process, which stays as it is.
 * 0; -1 with those that are refused, and on a second line a `hint: `, in `err`. */
int kernel_try(char *err, size_t err_size);

/* The same, said in the log; and warns of files of /proc that are not there, each with what is then
 * not as it should be. 0 or -1. */
int kernel_look(void);

/* A hint: why a call that should be there ends with this errno. */
const char *kernel_usual_cause(int error);

#endif
