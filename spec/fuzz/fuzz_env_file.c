/* needs: options/env_file.c base/memory.c */
/* fuzz_env_file.c - any file is read or refused with its line; what it gives has proper names, is
 * the last that the file says, and leaves alone what was there before. */
#include "options/env_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define NAME_BYTES "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* A file with these bytes; its path is in `path`. */
static int write_file(const uint8_t *data, size_t size, char path[static 64])
{
    int fd = memfd_create("env", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void check_error(const char *err, const char *path)
{
    CHECK(strncmp(err, path, strlen(path)) == 0 && err[strlen(path)] == ':');
    CHECK(strtol(err + strlen(path) + 1, NULL, 10) >= 1);
    CHECK(!strchr(err, '\n'));
}

static void check_names(const struct env_file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const char *name = f->names[i];
        CHECK(name[0] && !strchr("0123456789", name[0]));
        CHECK(name[strspn(name, NAME_BYTES)] == '\0');
        CHECK(getenv(name) && env_file_gave(f, name));
        for (size_t k = 0; k < i; k++)
            CHECK(strcmp(name, f->names[k]) != 0);
    }
    CHECK(!env_file_gave(f, "OURS") && strcmp(getenv("OURS"), "kept") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64], err[256] = "", *none[] = {NULL};
    extern char **environ;
    char **before = environ;
    int fd = write_file(data, size, path);
    struct env_file f;
    environ = none;
    setenv("OURS", "kept", 1);
    if (env_file_load(&f, path, err, sizeof err) < 0)
        check_error(err, path);
    check_names(&f);
    env_file_clear(&f);
    CHECK(!f.names && f.count == 0);
    clearenv();
    environ = before;
    close(fd);
    return 0;
}
