/* kernel.h - checks, once when the manager starts, that the kernel has the calls that the program
 * needs and the files of /proc that it reads. Old kernels, sandboxes like gVisor and seccomp
 * filters of containers leave some of them out. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>

/* Tries each call that workers and jobs cannot do without; this process stays as it is. 0; -1 with
 * the calls that are refused, and on a second line a `hint: `, in `err`. */
int kernel_try(char *err, size_t err_size);

/* Does the same and logs the result; warns of files of /proc that are missing, each with what does
 * not work without it. 0 or -1. */
int kernel_look(void);

/* The usual cause of this errno from a call that every kernel should have, for a hint. */
const char *kernel_usual_cause(int error);

#endif
