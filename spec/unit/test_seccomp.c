/* needs: os/seccomp.c base/memory.c */
/* test_filter.c - which system calls the filter of SANDBOX=strict refuses, and which it leaves.
 * Each is tried in a process that has put it on; built without libseccomp there is nothing to try.
 */
#include "os/seccomp.h"

#include <errno.h>
#include <asm/sockios.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/filter.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../support/refuse_call.h"

#define HIGH (1L << 40) /* a bit that the kernel does not look at in an int */

/* One call; `error`: what it must end with. 0: anything but EPERM and ENOSYS. */
struct attempt {
    const char *name;
    int error;
    long call, a, b, c;
};

/* The result as an exit code: 0 as expected, else the errno there was, or 255 for none. */
static int try_it(const struct attempt *t)
{
    errno = 0;
    long result = syscall(t->call, t->a, t->b, t->c, 0L, 0L, 0L);
    int error = result < 0 ? errno : 0;
    if (error == t->error || (!t->error && error != EPERM && error != ENOSYS))
        return 0;
    return error ? error : 255;
}

static int in_filter(const struct attempt *t, int (*run)(const struct attempt *))
{
    struct seccomp_filter f;
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        seccomp_filter_make(&f);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(seccomp_filter_enter(&f) < 0 ? 254 : run(t));
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void check(const struct attempt *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int result = in_filter(&list[i], try_it);
        if (result != 0)
            fail_msg("%s: expected errno %d, got %d", list[i].name, list[i].error, result);
    }
}

#define CHECK(list) check(list, sizeof(list) / sizeof *(list))
/* Versions of clang-format differ in these two. */
/* clang-format off */
#define REFUSED(name, ...) { #name, EPERM, SYS_##name, __VA_ARGS__ }
#define LEFT(name, ...) { #name, 0, SYS_##name, __VA_ARGS__ }
/* clang-format on */

static int do_nothing(const struct attempt *unused)
{
    (void)unused;
    return 0;
}

/* Not built with libseccomp, or under valgrind, which knows no seccomp. That there is a filter
 * where it should be is isolation_spec's. */
static bool usable(void)
{
    struct seccomp_filter f;
    seccomp_filter_make(&f);
    bool there = f.code != NULL;
    assert_true(there || f.missing);
    seccomp_filter_free(&f);
    return there && in_filter(NULL, do_nothing) == 0;
}

static void refuses_programs_and_processes(void **unused)
{
    (void)unused;
    const long name = (long)"/bin/true";
    const struct attempt list[] = {REFUSED(execve, name, 0, 0),
                                   REFUSED(execveat, -1, name, 0),
                                   REFUSED(setsid, 0, 0, 0),
                                   REFUSED(setpgid, 0, 0, 0),
                                   REFUSED(clone, SIGCHLD, 0, 0),
                                   REFUSED(clone, CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0),
                                   REFUSED(clone, HIGH | SIGCHLD, 0, 0),
                                   REFUSED(ptrace, 16, 1, 0),
                                   REFUSED(process_vm_readv, 1, 0, 0),
                                   REFUSED(process_vm_writev, 1, 0, 0),
                                   REFUSED(pidfd_getfd, 0, 0, 0),
                                   REFUSED(pidfd_send_signal, 0, 0, 0),
                                   REFUSED(kcmp, 1, 1, 0),
#ifdef SYS_fork
                                   REFUSED(fork, 0, 0, 0),
                                   REFUSED(vfork, 0, 0, 0),
#endif
                                   {"clone3", ENOSYS, SYS_clone3, 0, 0, 0}};
    CHECK(list);
}

static void refuses_signals_and_priorities_of_others(void **unused)
{
    (void)unused;
    const long us = getpid();
    const struct attempt list[] = {REFUSED(kill, us, 0, 0),
                                   REFUSED(kill, 0, 0, 0),
                                   REFUSED(kill, -1, 0, 0),
                                   REFUSED(tkill, us, 0, 0),
                                   REFUSED(tgkill, us, us, 0),
                                   REFUSED(rt_sigqueueinfo, us, 0, 0),
                                   REFUSED(prlimit64, us, 0, 0),
                                   REFUSED(setpriority, PRIO_PROCESS, us, 5),
                                   REFUSED(setpriority, PRIO_USER, 0, 5),
                                   REFUSED(sched_setaffinity, us, 0, 0),
                                   REFUSED(fcntl, 0, F_SETOWN, us),
                                   REFUSED(fcntl, 0, F_SETOWN_EX, 0),
                                   REFUSED(fcntl, 0, HIGH | F_SETOWN, us),
                                   REFUSED(ioctl, 0, FIOSETOWN, 0),
                                   REFUSED(ioctl, 0, SIOCSPGRP, 0)};
    CHECK(list);
}

static void refuses_to_change_files(void **unused)
{
    (void)unused;
    const long path = (long)"/tmp", here = AT_FDCWD;
    const struct attempt list[] = {REFUSED(openat, here, path, O_WRONLY),
                                   REFUSED(openat, here, path, O_RDWR),
                                   REFUSED(openat, here, path, O_RDONLY | O_CREAT),
                                   REFUSED(openat, here, path, O_RDONLY | O_TRUNC),
                                   REFUSED(openat, here, path, O_TMPFILE),
                                   REFUSED(openat, here, path, HIGH | O_WRONLY),
                                   {"openat2", ENOSYS, SYS_openat2, 0, 0, 0},
#ifdef SYS_open
                                   REFUSED(open, path, O_WRONLY, 0),
                                   REFUSED(open, path, O_RDWR, 0),
                                   REFUSED(open, path, O_CREAT, 0),
                                   REFUSED(creat, path, 0, 0),
                                   REFUSED(unlink, path, 0, 0),
                                   REFUSED(rename, path, path, 0),
                                   REFUSED(mkdir, path, 0, 0),
                                   REFUSED(rmdir, path, 0, 0),
                                   REFUSED(chmod, path, 0, 0),
                                   REFUSED(chown, path, 0, 0),
                                   REFUSED(link, path, path, 0),
                                   REFUSED(symlink, path, path, 0),
                                   REFUSED(mknod, path, 0, 0),
#endif
                                   REFUSED(truncate, path, 0, 0),
                                   REFUSED(ftruncate, 1, 0, 0),
                                   REFUSED(unlinkat, here, path, 0),
                                   REFUSED(renameat2, here, path, here),
                                   REFUSED(mkdirat, here, path, 0),
                                   REFUSED(fchmodat, here, path, 0),
                                   REFUSED(fchownat, here, path, 0),
                                   REFUSED(utimensat, here, path, 0),
                                   REFUSED(setxattr, path, path, 0)};
    CHECK(list);
}

static void refuses_the_machine_and_wide_doors(void **unused)
{
    (void)unused;
    const struct attempt list[] = {REFUSED(mount, 0, 0, 0),
                                   REFUSED(umount2, 0, 0, 0),
                                   REFUSED(pivot_root, 0, 0, 0),
                                   REFUSED(move_mount, 0, 0, 0),
                                   REFUSED(open_tree, 0, 0, 0),
                                   REFUSED(fsopen, 0, 0, 0),
                                   REFUSED(unshare, CLONE_NEWUSER, 0, 0),
                                   REFUSED(setns, 0, 0, 0),
                                   REFUSED(chroot, 0, 0, 0),
                                   REFUSED(init_module, 0, 0, 0),
                                   REFUSED(finit_module, 0, 0, 0),
                                   REFUSED(delete_module, 0, 0, 0),
                                   REFUSED(kexec_load, 0, 0, 0),
                                   REFUSED(reboot, 0, 0, 0),
                                   REFUSED(clock_settime, 0, 0, 0),
                                   REFUSED(sethostname, 0, 0, 0),
                                   REFUSED(bpf, 0, 0, 0),
                                   REFUSED(perf_event_open, 0, 0, 0),
                                   REFUSED(userfaultfd, 0, 0, 0),
                                   REFUSED(io_uring_setup, 0, 0, 0),
                                   REFUSED(io_uring_enter, 0, 0, 0),
                                   REFUSED(add_key, 0, 0, 0),
                                   REFUSED(request_key, 0, 0, 0),
                                   REFUSED(keyctl, 0, 0, 0),
                                   REFUSED(shmget, 0, 0, 0),
                                   REFUSED(msgget, 0, 0, 0),
                                   REFUSED(semget, 0, 0, 0),
                                   REFUSED(ioctl, 0, FS_IOC_SETFLAGS, 0),
                                   REFUSED(ioctl, 0, FS_IOC_FSSETXATTR, 0),
                                   REFUSED(ioctl, 0, TIOCSTI, 0),
                                   REFUSED(ioctl, 0, HIGH | TIOCSTI, 0),
                                   {"a call of a later kernel", ENOSYS, 466, 0, 0, 0}};
    CHECK(list);
}

static void refuses_strange_sockets(void **unused)
{
    (void)unused;
    static struct attempt list[AF_MAX + 4];
    size_t count = 0;
    for (long family = 0; family <= AF_MAX; family++) {
        bool open = family == AF_UNIX || family == AF_INET || family == AF_INET6;
        list[count++] =
            (struct attempt){"socket", open ? 0 : EPERM, SYS_socket, family, SOCK_STREAM, 0};
    }
    list[count++] = (struct attempt){"socket", EPERM, SYS_socket, HIGH | AF_NETLINK, SOCK_RAW, 0};
    list[count++] = (struct attempt)REFUSED(bind, 0, 0, 0);
    list[count++] = (struct attempt)REFUSED(listen, 0, 0, 0);
    check(list, count);
}

static void leaves_what_a_job_needs(void **unused)
{
    (void)unused;
    const struct attempt list[] = {LEFT(openat, AT_FDCWD, (long)"/dev/null", O_RDONLY | O_CLOEXEC),
                                   LEFT(read, 0, 0, 0),
                                   LEFT(write, 2, 0, 0),
                                   LEFT(mmap, 0, 0, 0),
                                   LEFT(brk, 0, 0, 0),
                                   LEFT(getrandom, 0, 0, 0),
                                   LEFT(connect, 0, 0, 0),
                                   LEFT(getpid, 0, 0, 0),
                                   LEFT(clock_gettime, 0, 0, 0),
                                   LEFT(prlimit64, 0, RLIMIT_CPU, 0),
                                   LEFT(setpriority, PRIO_PROCESS, 0, 1),
                                   LEFT(ioctl, 1, TIOCGWINSZ, 0),
                                   LEFT(memfd_create, (long)"x", 0, 0)};
    CHECK(list);
}

static void *thread(void *unused)
{
    return unused;
}

static int use_itself(const struct attempt *unused)
{
    (void)unused;
    pthread_t id;
    bool fine = kill(getpid(), 0) == 0 && pthread_create(&id, NULL, thread, NULL) == 0 &&
                pthread_join(id, NULL) == 0;
    signal(SIGUSR1, SIG_IGN);
    return fine && raise(SIGUSR1) == 0 ? 0 : 1;
}

static void leaves_threads_and_signals_to_itself(void **unused)
{
    (void)unused;
    assert_int_equal(in_filter(NULL, use_itself), 0);
}

#ifdef __x86_64__
/* The same kernel by its 32-bit door, where numbers mean other calls. */
static int use_32_bit(const struct attempt *unused)
{
    (void)unused;
    int result;
    __asm__ volatile("int $0x80" : "=a"(result) : "0"(20) : "memory"); /* getpid */
    return 1;
}

/* How a process ends that tries it without a filter: by SIGSEGV where the kernel has no such door.
 */
static int end_without_filter(void)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0)
        _exit(use_32_bit(NULL));
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int use_x32(const struct attempt *unused)
{
    (void)unused;
    return syscall(0x40000000 + SYS_getpid) < 0 && errno == ENOSYS ? 0 : 1;
}

static void closes_the_other_doors_into_the_kernel(void **unused)
{
    (void)unused;
    int closed = end_without_filter() == -SIGSEGV ? -SIGSEGV : -SIGSYS;
    assert_int_equal(in_filter(NULL, use_32_bit), closed);
    assert_int_equal(in_filter(NULL, use_x32), 0);
}
#endif

static void fails_where_it_should_be_and_cannot(void **unused)
{
    (void)unused;
    struct seccomp_filter f;
    struct rlimit was, none = {0};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none.rlim_max = was.rlim_max;
    setrlimit(RLIMIT_NOFILE, &none);
    int made = seccomp_filter_make(&f);
    setrlimit(RLIMIT_NOFILE, &was);
    assert_int_equal(made, -1);
    assert_int_equal(f.error, EMFILE);
    assert_non_null(f.missing);
    assert_int_equal(seccomp_filter_enter(&f), -1);
    assert_int_equal(errno, EMFILE);
    seccomp_filter_free(&f);
}

/* As a container may that has a filter of its own. */
static int make_without_seccomp(void)
{
    struct seccomp_filter f;
    if (refuse(find_refusable("seccomp"), EPERM) < 0)
        return -1;
    return seccomp_filter_make(&f) == -1 && errno == EPERM && f.error == EPERM && f.missing ? 0 : 1;
}

static void says_when_the_kernel_takes_none(void **unused)
{
    (void)unused;
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(make_without_seccomp());
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void says_when_there_is_none(void **unused)
{
    (void)unused;
    struct seccomp_filter none = {.missing = "for a test"}, failed = {.error = EPERM};
    assert_int_equal(seccomp_filter_enter(&none), 0);
    assert_int_equal(seccomp_filter_enter(&failed), -1);
    seccomp_filter_free(&none);
    seccomp_filter_free(&none);
}

int main(void)
{
    const struct CMUnitTest always[] = {cmocka_unit_test(says_when_there_is_none)};
    const struct CMUnitTest tests[] = {cmocka_unit_test(refuses_programs_and_processes),
                                       cmocka_unit_test(refuses_signals_and_priorities_of_others),
                                       cmocka_unit_test(refuses_to_change_files),
                                       cmocka_unit_test(refuses_the_machine_and_wide_doors),
                                       cmocka_unit_test(refuses_strange_sockets),
                                       cmocka_unit_test(leaves_what_a_job_needs),
                                       cmocka_unit_test(leaves_threads_and_signals_to_itself),
                                       cmocka_unit_test(fails_where_it_should_be_and_cannot),
                                       cmocka_unit_test(says_when_the_kernel_takes_none),
#ifdef __x86_64__
                                       cmocka_unit_test(closes_the_other_doors_into_the_kernel),
#endif
                                       cmocka_unit_test(says_when_there_is_none)};
    if (!usable())
        return cmocka_run_group_tests(always, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
