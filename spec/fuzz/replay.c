/* replay.c - runs one fuzz target over the files of its corpus (arguments: files or one folder
 * each), so that what a fuzzer once found is checked by every build, without libFuzzer. Linked with
 * one fuzz_<x>.c. It finds nothing new. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (!file || fstat(fileno(file), &info) != 0) {
        perror(path);
        return -1;
    }
    size_t size = (size_t)info.st_size;
    /* Exactly as large as the input: a byte read past its end is then caught by the sanitizer. */
    uint8_t *data = malloc(size ? size : 1);
    int result = data && fread(data, 1, size, file) == size ? 0 : -1;
    fclose(file);
    if (result == 0)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return result;
}

/* Number of inputs run, or -1. */
static int replay_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        perror(folder);
        return -1;
    }
    int count = 0;
    for (struct dirent *entry; count >= 0 && (entry = readdir(dir));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        count = replay_file(path) == 0 ? count + 1 : -1;
    }
    closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        int count = stat(argv[i], &info) == 0 && S_ISDIR(info.st_mode) ? replay_folder(argv[i])
                    : replay_file(argv[i]) == 0                        ? 1
                                                                       : -1;
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs\n", total);
    return total > 0 ? 0 : 1; /* an empty corpus checks nothing */
}
