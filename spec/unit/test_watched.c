/* needs: os/watched.c base/memory.c */
/* test_watched.c - what counts as a change of a file. */
#include "os/watched.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/spec-watched-XXXXXX", file[64], other[64];

static void put(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void replace(void)
{
    put(other, "one");
    assert_int_equal(rename(other, file), 0);
}

static void edit(void)
{
    put(file, "longer");
}

static void take_away(void)
{
    unlink(file);
}

/* As `cp -p` and rsync leave it: the same file, size and time of its content. */
static void change_unseen(void)
{
    struct stat before;
    assert_int_equal(stat(file, &before), 0);
    put(file, "two");
    const struct timespec times[] = {before.st_atim, before.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
}

static void sees_what_happens_to_a_file(void **state)
{
    void (*const changes[])(void) = {replace, edit, take_away, change_unseen};
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct watched w = {0};
        put(file, "one");
        watched_add(&w, file);
        assert_false(watched_changed(&w));
        changes[i]();
        assert_true(watched_changed(&w));
        watched_clear(&w);
    }
}

static void sees_that_a_missing_one_is_made(void **state)
{
    struct watched w = {0};
    (void)state;
    unlink(file);
    watched_add(&w, file);
    assert_false(watched_changed(&w));
    put(file, "one");
    assert_true(watched_changed(&w));
    watched_clear(&w);
}

static void goes_by_the_first_look(void **state)
{
    struct watched w = {0};
    (void)state;
    put(file, "one");
    watched_add(&w, file);
    replace();
    watched_add(&w, file);
    assert_int_equal(w.count, 1);
    assert_true(watched_changed(&w));
    watched_clear(&w);
    assert_false(watched_changed(&w));
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(file, sizeof file, "%s/file", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sees_what_happens_to_a_file),
                                       cmocka_unit_test(sees_that_a_missing_one_is_made),
                                       cmocka_unit_test(goes_by_the_first_look)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
