/* needs: os/pidfile.c os/descriptors.c base/memory.c */
/* test_pidfile.c - one live holder per file, whatever was in it, however it ended. Each test has a
 * folder of its own and works inside it. */
#include "os/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/descriptors.h"

#include "temporary.h"

#define PATH "worker.pid"

static char folder[TEMPORARY_SIZE];

static int enter_folder(void **unused)
{
    (void)unused;
    temporary_path(folder, "pidfile");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **unused)
{
    (void)unused;
    unlink(PATH);
    unlink("other");
    rmdir("folder");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void assert_content(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    assert_int_equal(len, strlen(expected));
    assert_string_equal(text, expected);
}

static void assert_our_pid(const char *path)
{
    char expected[32];
    snprintf(expected, sizeof expected, "%ld\n", (long)getpid());
    assert_content(path, expected);
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static void assert_opens(struct pidfile *p, const char *path)
{
    char err[300] = "";
    if (pidfile_open(p, path, err, sizeof err) != 0)
        fail_msg("%s", err);
}

static void assert_refused(const char *path, const char *expected)
{
    struct pidfile p;
    char err[300] = "";
    assert_int_equal(pidfile_open(&p, path, err, sizeof err), -1);
    if (!strstr(err, expected) || !strstr(err, "\nhint: ") || !strstr(err, path))
        fail_msg("%s\nlacks: %s", err, expected);
    assert_null(p.path);
    pidfile_close(&p); /* as every _close: fine when there is nothing */
}

/* A process that holds the file until it is killed, or we are gone. */
static pid_t start_holder(void)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct pidfile p;
        char err[300];
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        byte = pidfile_open(&p, PATH, err, sizeof err) == 0 ? 'y' : 'n';
        if (write(ready[1], &byte, 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    assert_int_equal(byte, 'y');
    return pid;
}

static void stop_holder(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_open_and_close(void **unused)
{
    (void)unused;
    struct pidfile p;
    struct stat info;
    mode_t mask = umask(022);
    assert_opens(&p, PATH);
    umask(mask);
    assert_our_pid(PATH);
    assert_int_equal(stat(PATH, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0644);
    assert_true(fcntl(p.fd, F_GETFD) & FD_CLOEXEC);
    int fd = p.fd;
    pidfile_close(&p);
    assert_false(exists(PATH));
    assert_null(p.path);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    pidfile_close(&p);
}

static void test_stale_files_are_replaced(void **unused)
{
    (void)unused;
    static const char *const contents[] = {
        "", "1\n", "4194304", "99999999999999999999999999\n", "no number\n", "\n\n\n"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        struct pidfile p;
        write_file(PATH, contents[i]);
        assert_opens(&p, PATH);
        assert_our_pid(PATH);
        pidfile_close(&p);
        assert_false(exists(PATH));
    }
}

static void test_held_by_another(void **unused)
{
    (void)unused;
    char expected[64], content[32];
    pid_t holder = start_holder();
    snprintf(expected, sizeof expected, "is held by process %ld, which is running", (long)holder);
    snprintf(content, sizeof content, "%ld\n", (long)holder);
    assert_refused(PATH, expected);
    assert_content(PATH, content);
    static const char *const unreadable[] = {"", "x\n", "-5\n", "0\n", "12x\n"};
    for (size_t i = 0; i < sizeof unreadable / sizeof *unreadable; i++) {
        write_file(PATH, unreadable[i]);
        assert_refused(PATH, "is held by another process");
        assert_content(PATH, unreadable[i]);
    }
    stop_holder(holder);
}

static void test_a_killed_holder_is_replaced(void **unused)
{
    (void)unused;
    struct pidfile p;
    stop_holder(start_holder());
    assert_true(exists(PATH));
    assert_opens(&p, PATH);
    assert_our_pid(PATH);
    pidfile_close(&p);
}

/* What the dead owner had forked lets go a moment later. */
static void test_an_heir_of_a_killed_holder_is_waited_for(void **unused)
{
    (void)unused;
    struct pidfile p;
    int ready[2];
    char byte = 'x';
    assert_int_equal(pipe(ready), 0);
    pid_t holder = fork();
    if (holder == 0) {
        char err[300];
        if (pidfile_open(&p, PATH, err, sizeof err) < 0)
            _exit(1);
        if (fork() == 0) {
            if (write(ready[1], &byte, 1) == 1)
                usleep(150000);
            _exit(0);
        }
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    stop_holder(holder);
    assert_opens(&p, PATH);
    assert_our_pid(PATH);
    pidfile_close(&p);
}

/* A second start in the same process is refused too: the lock belongs to the open file. */
static void test_held_by_ourselves(void **unused)
{
    (void)unused;
    struct pidfile p;
    assert_opens(&p, PATH);
    assert_refused(PATH, "is held by process");
    pidfile_close(&p);
}

/* The child's forgetting takes neither file nor lock away; and without the parent nothing holds it.
 */
static void test_forget(void **unused)
{
    (void)unused;
    struct pidfile p, again;
    int done[2];
    assert_opens(&p, PATH);
    assert_int_equal(pipe(done), 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(done[1]);
        descriptors_let_go();
        _exit(read(done[0], &byte, 1) == 0 ? 0 : 1); /* lives on until the parent is through */
    }
    close(done[0]);
    assert_refused(PATH, "is held by process");
    assert_our_pid(PATH);
    pidfile_close(&p);
    assert_opens(&again, PATH);
    pidfile_close(&again);
    close(done[1]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_close_leaves_the_file_of_another(void **unused)
{
    (void)unused;
    struct pidfile p;
    assert_opens(&p, PATH);
    write_file("other", "7\n");
    assert_int_equal(rename("other", PATH), 0);
    pidfile_close(&p);
    assert_content(PATH, "7\n");
}

static void test_close_without_file(void **unused)
{
    (void)unused;
    struct pidfile p;
    assert_opens(&p, PATH);
    unlink(PATH);
    pidfile_close(&p);
    assert_false(exists(PATH));
}

static void test_close_after_chdir(void **unused)
{
    (void)unused;
    struct pidfile p;
    assert_opens(&p, PATH);
    assert_int_equal(chdir("/"), 0);
    pidfile_close(&p);
    assert_int_equal(chdir(folder), 0);
    assert_false(exists(PATH));
}

static void test_places_that_do_not_work(void **unused)
{
    (void)unused;
    char large[100];
    memset(large, '1', sizeof large);
    large[sizeof large - 1] = '\0';
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_refused("missing/worker.pid",
                   "cannot be opened: No such file or directory\nhint: create");
    assert_refused("folder", "cannot be opened: Is a directory");
    write_file("other", large);
    assert_refused("other", "is something else than a PID file");
    assert_content("other", large);
    assert_refused("other/worker.pid", "cannot be opened: Not a directory");
    assert_int_equal(symlink("other", PATH), 0);
    assert_refused(PATH, "cannot be opened: Too many levels of symbolic links\nhint: it is");
    assert_content("other", large);
    unlink(PATH);
    assert_int_equal(mkfifo(PATH, 0600), 0);
    assert_refused(PATH, "is something else than a PID file");
    assert_refused("/dev/full", "is something else than a PID file");
}

/* A file size limit: nothing, or only a part, can be written. */
static void test_what_cannot_be_written_is_removed(void **unused)
{
    (void)unused;
    struct rlimit before, small;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (rlim_t room = 0; room <= 1; room++) {
        struct pidfile p;
        char err[300] = "";
        small = (struct rlimit){.rlim_cur = room, .rlim_max = before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        int opened = pidfile_open(&p, PATH, err, sizeof err);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(opened, -1);
        assert_non_null(strstr(err, "cannot be written: "));
        assert_false(exists(PATH));
        assert_int_equal(p.fd, -1);
    }
    signal(SIGXFSZ, handler);
}

/* Bytes that pwrite below still writes; -1: it is the system's. */
static int disk_space = -1;

/* Stands in front of libc's: a disk that gets full is hard to come by without root. */
ssize_t pwrite(int fd, const void *text, size_t len, off_t offset)
{
    if (disk_space == 0) {
        errno = ENOSPC;
        return -1;
    }
    if (disk_space > 0 && len > (size_t)disk_space)
        len = (size_t)disk_space;
    return syscall(SYS_pwrite64, fd, text, len, offset);
}

static void test_disk_full(void **unused)
{
    (void)unused;
    for (disk_space = 0; disk_space <= 1; disk_space++) {
        write_file(PATH, "123456789\n");
        assert_refused(PATH, "cannot be written: No space left on device\nhint: make room");
        assert_false(exists(PATH));
    }
    disk_space = -1;
}

/* Processes that open and close as fast as they can: two inside at once would see each other's
 * mark. The file is removed at each close, so opening meets unlinking all the time. */
static void compete(volatile int *inside, int rounds)
{
    for (int i = 0; i < rounds;) {
        struct pidfile p;
        char err[300];
        if (pidfile_open(&p, PATH, err, sizeof err) != 0) {
            if (!strstr(err, "is held by"))
                _exit(2);
            continue;
        }
        if (__sync_add_and_fetch(inside, 1) != 1)
            _exit(3);
        __sync_sub_and_fetch(inside, 1);
        pidfile_close(&p);
        i++;
    }
    _exit(0);
}

static void test_races(void **unused)
{
    (void)unused;
    enum { PROCESSES = 4, ROUNDS = 1000 };
    int *inside =
        mmap(NULL, sizeof *inside, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(inside != MAP_FAILED);
    for (int i = 0; i < PROCESSES; i++)
        if (fork() == 0)
            compete(inside, ROUNDS);
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    munmap(inside, sizeof *inside);
    assert_false(exists(PATH));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_open_and_close),
        IN_FOLDER(test_stale_files_are_replaced),
        IN_FOLDER(test_held_by_another),
        IN_FOLDER(test_a_killed_holder_is_replaced),
        IN_FOLDER(test_an_heir_of_a_killed_holder_is_waited_for),
        IN_FOLDER(test_held_by_ourselves),
        IN_FOLDER(test_forget),
        IN_FOLDER(test_close_leaves_the_file_of_another),
        IN_FOLDER(test_close_without_file),
        IN_FOLDER(test_close_after_chdir),
        IN_FOLDER(test_places_that_do_not_work),
        IN_FOLDER(test_what_cannot_be_written_is_removed),
        IN_FOLDER(test_disk_full),
        IN_FOLDER(test_races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
