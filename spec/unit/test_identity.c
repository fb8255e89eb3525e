/* needs: os/identity.c os/procfs.c */
/* test_identity.c - a death is proven only for a process of this boot and pid namespace, and by
 * what is seen, not by what is not. */
#include "os/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOBODY 65534

/* A process that tells who it is and waits for its end. */
static pid_t start_process(struct identity *id)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct identity own;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "a) b (c 1 2 3"); /* brackets and blanks in /proc/<pid>/stat */
        identity_own(&own);
        if (write(ends[1], &own, sizeof own) == (ssize_t)sizeof own)
            pause();
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], id, sizeof *id), sizeof *id);
    close(ends[0]);
    return pid;
}

static void end_process(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void a_living_process_is_not_dead(void **state)
{
    struct identity self;
    (void)state;
    assert_null(identity_own(&self));
    assert_int_equal(atoi(self.pid), getpid());
    assert_false(identity_is_dead(&self));
}

static void an_ended_process_is_dead(void **state)
{
    struct identity id;
    pid_t pid = start_process(&id);
    (void)state;
    assert_int_equal(atoi(id.pid), pid);
    assert_false(identity_is_dead(&id));
    end_process(pid);
    assert_true(identity_is_dead(&id));
}

static bool is_zombie(pid_t pid)
{
    char path[32], line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    bool got = file && fgets(line, sizeof line, file) != NULL;
    if (file)
        fclose(file);
    return got && strrchr(line, ')') && strrchr(line, ')')[2] == 'Z';
}

/* Nobody here reaps it, so it stays a zombie until its parent ends. */
static pid_t start_parent_of_zombie(struct identity *child)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct identity id;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        start_process(&id);
        if (write(ends[1], &id, sizeof id) == (ssize_t)sizeof id)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], child, sizeof *child), sizeof *child);
    close(ends[0]);
    close(ends[1]);
    return parent;
}

static void kill_to_zombie(pid_t pid)
{
    kill(pid, SIGKILL);
    while (!is_zombie(pid))
        usleep(1000);
}

static void a_zombie_is_left_to_its_parent(void **state)
{
    struct identity id, foreign;
    pid_t ours = start_process(&id), parent = start_parent_of_zombie(&foreign);
    (void)state;
    kill_to_zombie(ours);
    assert_false(identity_is_dead(&id));
    end_process(ours);
    assert_true(identity_is_dead(&id));

    kill_to_zombie(atoi(foreign.pid));
    assert_false(identity_is_dead(&foreign));
    end_process(parent);
    for (int i = 0; i < 6000 && !identity_is_dead(&foreign); i++)
        usleep(10000);
    assert_true(identity_is_dead(&foreign));
}

/* The number is in use again, by a process that started at another time. */
static void a_pid_that_was_used_again_is_dead(void **state)
{
    struct identity id;
    (void)state;
    assert_null(identity_own(&id));
    snprintf(id.start, sizeof id.start, "%d", 1);
    assert_true(identity_is_dead(&id));
}

static void nothing_is_proven_about_other_boots_and_namespaces(void **state)
{
    struct identity id;
    (void)state;
    end_process(start_process(&id));
    assert_true(identity_is_dead(&id));
    struct identity other = id;
    other.boot[0] = other.boot[0] == '0' ? '1' : '0';
    assert_false(identity_is_dead(&other));
    other = id;
    snprintf(other.namespace, sizeof other.namespace, "1");
    assert_false(identity_is_dead(&other));
    other = id;
    other.pid[0] = '\0';
    assert_false(identity_is_dead(&other));
}

/* Its start time may count from another zero, so only its absence proves its death. */
static void who_tells_its_pid_namespace_alone_is_dead_when_it_is_gone(void **state)
{
    struct identity id;
    pid_t pid = start_process(&id);
    (void)state;
    id.namespace[strcspn(id.namespace, "-")] = '\0';
    assert_false(identity_is_dead(&id));
    snprintf(id.start, sizeof id.start, "%d", 1);
    assert_false(identity_is_dead(&id));
    end_process(pid);
    assert_true(identity_is_dead(&id));
    id.namespace[strlen(id.namespace) - 1] = '\0';
    assert_false(identity_is_dead(&id));
}

/* --- where /proc does not show everything; made in a process of its own, by root alone --- */

enum { LIVES, DEAD, NOT_MADE };

static int verdict(const struct identity *id)
{
    return identity_is_dead(id) ? DEAD : LIVES;
}

/* What `look` finds in a process with mounts of its own. */
static int elsewhere(int (*look)(const struct identity *id), const struct identity *id)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        bool own =
            unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
        _exit(own ? look(id) : NOT_MADE);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool hide(const char *folder)
{
    return mount("none", folder, "tmpfs", 0, NULL) == 0;
}

static int look_without_its_files(const struct identity *id)
{
    char folder[32];
    snprintf(folder, sizeof folder, "/proc/%s", id->pid);
    return hide(folder) ? verdict(id) : NOT_MADE;
}

static int look_as_nobody(const struct identity *id)
{
    return setuid(NOBODY) == 0 ? verdict(id) : NOT_MADE;
}

static int look_as_nobody_without_its_files(const struct identity *id)
{
    char folder[32];
    snprintf(folder, sizeof folder, "/proc/%s", id->pid);
    return hide(folder) ? look_as_nobody(id) : NOT_MADE;
}

static void what_is_hidden_is_not_dead(void **state)
{
    struct identity id;
    pid_t pid = start_process(&id);
    int hidden = elsewhere(look_without_its_files, &id), foreign = elsewhere(look_as_nobody, &id);
    int both = elsewhere(look_as_nobody_without_its_files, &id);
    (void)state;
    end_process(pid);
    if (hidden == NOT_MADE)
        skip();
    assert_int_equal(hidden, LIVES);
    assert_int_equal(foreign, LIVES);
    assert_int_equal(both, LIVES);
    assert_int_equal(elsewhere(look_as_nobody, &id), DEAD);
}

static int look_without_system(const struct identity *id)
{
    struct identity own;
    if (!hide("/proc/sys"))
        return NOT_MADE;
    const char *missing = identity_own(&own);
    bool rest_is_empty = !own.boot[0] && !own.namespace[0] && !own.start[0];
    bool told = missing && errno == ENOENT &&
                strcmp(missing, "/proc/sys/kernel/random/boot_id") == 0 && rest_is_empty &&
                atoi(own.pid) == getpid();
    return !told || identity_is_dead(&own) ? DEAD : verdict(id);
}

static int look_without_proc(const struct identity *id)
{
    struct identity own;
    if (!hide("/proc"))
        return NOT_MADE;
    const char *missing = identity_own(&own);
    return missing && strcmp(missing, "/proc/self/stat") == 0 ? verdict(id) : DEAD;
}

static void without_a_boot_id_nothing_is_proven(void **state)
{
    struct identity id;
    (void)state;
    end_process(start_process(&id));
    int without = elsewhere(look_without_system, &id);
    if (without == NOT_MADE)
        skip();
    assert_int_equal(without, LIVES);
    assert_int_equal(elsewhere(look_without_proc, &id), LIVES);
}

/* In a pid namespace whose /proc still is the one outside: under our numbers stand others. */
static int look_at_child_without_own_proc(const struct identity *id)
{
    int status;
    (void)id;
    if (unshare(CLONE_NEWPID) < 0)
        return NOT_MADE;
    pid_t first = fork();
    if (first == 0) {
        struct identity child;
        pid_t pid = start_process(&child);
        bool missed = child.start[0] == '\0' || verdict(&child) != LIVES;
        end_process(pid);
        _exit(missed || verdict(&child) != DEAD ? DEAD : LIVES);
    }
    waitpid(first, &status, 0);
    return WEXITSTATUS(status);
}

static void the_proc_of_another_namespace_shows_nothing(void **state)
{
    int seen = elsewhere(look_at_child_without_own_proc, NULL);
    (void)state;
    if (seen == NOT_MADE)
        skip();
    assert_int_equal(seen, LIVES);
}

/* Whose clock began at another time, so that all start times are others. */
static int look_with_another_boot_time(const struct identity *id)
{
    static const char offset[] = "boottime 5000 0\n";
    int status;
    if (unshare(CLONE_NEWTIME) < 0)
        return NOT_MADE;
    int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
    bool made = write(fd, offset, strlen(offset)) == (ssize_t)strlen(offset);
    close(fd);
    pid_t pid = fork();
    if (pid == 0)
        _exit(made ? verdict(id) : NOT_MADE);
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void another_count_of_time_proves_nothing(void **state)
{
    struct identity id;
    (void)state;
    pid_t pid = start_process(&id);
    int seen = elsewhere(look_with_another_boot_time, &id);
    end_process(pid);
    if (seen == NOT_MADE)
        skip();
    assert_int_equal(seen, LIVES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_living_process_is_not_dead),
        cmocka_unit_test(an_ended_process_is_dead),
        cmocka_unit_test(a_zombie_is_left_to_its_parent),
        cmocka_unit_test(a_pid_that_was_used_again_is_dead),
        cmocka_unit_test(nothing_is_proven_about_other_boots_and_namespaces),
        cmocka_unit_test(who_tells_its_pid_namespace_alone_is_dead_when_it_is_gone),
        cmocka_unit_test(what_is_hidden_is_not_dead),
        cmocka_unit_test(without_a_boot_id_nothing_is_proven),
        cmocka_unit_test(the_proc_of_another_namespace_shows_nothing),
        cmocka_unit_test(another_count_of_time_proves_nothing),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
