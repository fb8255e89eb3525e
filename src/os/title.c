/* title.c - writes the process title over argv and environ, where Linux looks for it. Not the name
 * of the thread (comm): that stays the program's, so that killall and `ps -C` find it. */
#include "os/title.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/text.h"
#include "base/version.h"

/* Carries "<comm>/", then filling, into the second execution. Its presence ends the matter:
 * whatever the space then is, there is no third. */
#define PADDING "RESQUE_LUA_TITLE"

enum {
    COMM_SIZE = 16, /* prctl(2) */
    PREFIX_MOST = 256
};

/* Process-wide by nature. */
static struct {
    char *area;  /* argv[0]'s first byte; NULL: no titles */
    size_t size; /* to the end of the environment */
    size_t used; /* bytes of the title there now; the rest of the area is zero */
    const char *prefix;
    void *copies; /* argv and environ live there; kept here so that leak checkers see it */
} state;

/* The end of the strings of argv, which the kernel put one behind the other. */
static char *arguments_end(char **argv)
{
    char *end = argv[0];
    for (; *argv && *argv == end; argv++)
        end += strlen(*argv) + 1;
    return end;
}

/* The end of the environment's strings, which the kernel put behind those of argv. There may be
 * gaps (something ran before main and removed a variable) and strangers (it added one): AT_EXECFN,
 * which lies behind the environment, tells the strangers. */
static char *environment_end(char *end, char **env)
{
    uintptr_t limit = getauxval(AT_EXECFN);
    for (; *env; env++)
        if ((uintptr_t)*env >= (uintptr_t)end && (uintptr_t)*env < limit)
            end = *env + strlen(*env) + 1;
    return end;
}

/* Executes this program again. First by its path: under valgrind or qemu /proc/self/exe is valgrind
 * or qemu. Then by /proc/self/exe, where the path leads nowhere (removed, started from a
 * descriptor). */
static void execute_again(char **argv)
{
    char path[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len > 0) {
        path[len] = '\0'; /* valgrind leaves the end of its own path behind a shorter one */
        execv(path, argv);
    }
    execv("/proc/self/exe", argv);
}

/* Executes this program again with a large enough environment. Returns when that is impossible. */
static void execute_with_padding(char **argv)
{
    char value[COMM_SIZE + TITLE_SPACE + 1] = "";
    prctl(PR_GET_NAME, value);
    size_t used = strlen(value);
    value[used++] = '/';
    memset(value + used, '.', TITLE_SPACE);
    value[used + TITLE_SPACE] = '\0';
    if (setenv(PADDING, value, 1) == 0)
        execute_again(argv);
    unsetenv(PADDING);
}

/* The kernel named the process after the file executed last, not after the link it was started by.
 */
static void restore_comm(const char *padding)
{
    char comm[COMM_SIZE] = "";
    size_t n = strcspn(padding, "/");
    memcpy(comm, padding, n < sizeof comm ? n : sizeof comm - 1);
    if (n > 0 && padding[n] == '/')
        prctl(PR_SET_NAME, comm);
}

/* Bytes of the strings of `list`, with their NULs; *count: how many there are. */
static size_t measure(char **list, size_t *count)
{
    size_t bytes = 0;
    for (*count = 0; list[*count]; ++*count)
        bytes += strlen(list[*count]) + 1;
    return bytes;
}

/* Copies the strings of `list` to `text`, their addresses and a NULL to `to`; returns the end. */
static char *copy_list(char **to, char *text, char **list)
{
    for (; *list; list++) {
        *to++ = text;
        text = stpcpy(text, *list) + 1;
    }
    *to = NULL;
    return text;
}

/* What libc remembers of argv[0] for its messages. */
static void move_program_name(char *name)
{
    char *slash = strrchr(name, '/');
    program_invocation_name = name;
    program_invocation_short_name = slash ? slash + 1 : name;
}

/* One block: both lists, then the texts. setenv copies the list when it needs a longer one. */
static int move_strings(char ***argv)
{
    size_t args, variables;
    size_t bytes = measure(*argv, &args) + measure(environ, &variables);
    char **lists = malloc((args + variables + 2) * sizeof *lists + bytes);
    if (!lists)
        return -1;
    char **new_environ = lists + args + 1;
    char *text = (char *)(new_environ + variables + 1);
    text = copy_list(lists, text, *argv);
    copy_list(new_environ, text, environ);
    state.copies = lists;
    *argv = lists;
    environ = new_environ;
    move_program_name(lists[0]);
    return 0;
}

int title_init(int argc, char ***argv)
{
    if (argc < 1 || !**argv) {
        errno = EINVAL;
        return -1;
    }
    char *area = **argv, *environment = arguments_end(*argv);
    char *end = environment_end(environment, environ);
    const char *padding = getenv(PADDING);
    if (padding)
        restore_comm(padding);
    else if (end - area < TITLE_SPACE)
        execute_with_padding(*argv);
    unsetenv(PADDING);

    if (move_strings(argv) < 0)
        return -1;
    memset(environment, 0, (size_t)(end - environment));
    state.area = area;
    state.size = (size_t)(end - area);
    state.used = (size_t)(environment - area);
    return 0;
}

void title_set_prefix(const char *prefix)
{
    state.prefix = prefix;
}

/* Ruby's pruning leaves processes out that `grep -v resque-web` drops. */
static void hide_web(char *title)
{
    static const char web[] = "resque-web";
    for (char *at = title; (at = strstr(at, web)); at += sizeof web - 1)
        at[sizeof "resque" - 1] = '_';
}

/* "1.0" of "1.0.0": how many bytes. */
static int short_version(void)
{
    const char *dot = strchr(VERSION_TEXT, '.');
    return (int)(dot - VERSION_TEXT + 1 + (int)strcspn(dot + 1, "."));
}

__attribute__((format(printf, 2, 0))) static void make(char title[TITLE_MOST], const char *format,
                                                       va_list args)
{
    char text[TITLE_MOST + 4]; /* longer than a title, so that where it is cut off is never seen */
    int start = snprintf(text, sizeof text, "%.*sresque-%.*s: ", PREFIX_MOST,
                         state.prefix ? state.prefix : "", short_version(), VERSION_TEXT);
    vsnprintf(text + start, sizeof text - (size_t)start, format, args);
    size_t room = state.size < TITLE_MOST ? state.size : TITLE_MOST;
    hide_web(text_printable(title, room, text, strlen(text)));
}

void title_make(char title[TITLE_MOST], const char *format, ...)
{
    va_list args;
    title[0] = '\0';
    if (!state.area)
        return;
    va_start(args, format);
    make(title, format, args);
    va_end(args);
}

void title_show(const char *title)
{
    size_t len = strlen(title);
    if (!state.area)
        return;
    memcpy(state.area, title, len);
    if (len < state.used)
        memset(state.area + len, 0, state.used - len);
    state.used = len;
}

void title_set(const char *format, ...)
{
    char title[TITLE_MOST];
    va_list args;
    if (!state.area)
        return;
    va_start(args, format);
    make(title, format, args);
    va_end(args);
    title_show(title);
}
