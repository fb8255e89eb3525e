/* needs: identity.c */
/* test_identity.c - a death is proven only for a process of this boot and pid namespace. */
#include "identity.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static pid_t start_process(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_NAME, "a) b (c 1 2 3"); /* brackets and blanks in /proc/<pid>/stat */
        pause();
        _exit(0);
    }
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
    assert_int_equal(identity_of(&self, 0), 0);
    assert_int_equal(atoi(self.pid), getpid());
    assert_false(identity_is_dead(&self));
}

static void an_ended_process_is_dead(void **state)
{
    struct identity id;
    pid_t pid = start_process();
    (void)state;
    assert_int_equal(identity_of(&id, pid), 0);
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
static pid_t start_parent_of_zombie(pid_t *child)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t parent = fork();
    if (parent == 0) {
        pid_t pid = start_process();
        if (write(ends[1], &pid, sizeof pid) == (ssize_t)sizeof pid)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], child, sizeof *child), sizeof *child);
    close(ends[0]);
    close(ends[1]);
    return parent;
}

static void a_zombie_is_left_to_its_parent(void **state)
{
    struct identity id;
    pid_t foreign, ours = start_process(), parent = start_parent_of_zombie(&foreign);
    (void)state;
    assert_int_equal(identity_of(&id, ours), 0);
    kill(ours, SIGKILL);
    while (!is_zombie(ours))
        usleep(1000);
    assert_false(identity_is_dead(&id));
    end_process(ours);
    assert_true(identity_is_dead(&id));

    assert_int_equal(identity_of(&id, foreign), 0);
    kill(foreign, SIGKILL);
    while (!is_zombie(foreign))
        usleep(1000);
    assert_false(identity_is_dead(&id));
    end_process(parent);
    for (int i = 0; i < 6000 && !identity_is_dead(&id); i++)
        usleep(10000);
    assert_true(identity_is_dead(&id));
}

/* The number is in use again, by a process that started at another time. */
static void a_pid_that_was_used_again_is_dead(void **state)
{
    struct identity id;
    (void)state;
    assert_int_equal(identity_of(&id, 0), 0);
    snprintf(id.start, sizeof id.start, "%d", 1);
    assert_true(identity_is_dead(&id));
}

static void nothing_is_proven_about_other_boots_and_namespaces(void **state)
{
    struct identity id;
    pid_t pid = start_process();
    (void)state;
    assert_int_equal(identity_of(&id, pid), 0);
    end_process(pid);
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

static void the_text_names_all_four(void **state)
{
    const struct identity id = {"boot", "7", "42", "99"};
    char text[IDENTITY_TEXT_SIZE];
    (void)state;
    identity_text(&id, text);
    assert_string_equal(text, "boot 7 42 99");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_living_process_is_not_dead),
        cmocka_unit_test(an_ended_process_is_dead),
        cmocka_unit_test(a_zombie_is_left_to_its_parent),
        cmocka_unit_test(a_pid_that_was_used_again_is_dead),
        cmocka_unit_test(nothing_is_proven_about_other_boots_and_namespaces),
        cmocka_unit_test(the_text_names_all_four),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
