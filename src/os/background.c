/* background.c - see background.h. */
#include "os/background.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exit_code.h"
#include "os/descriptors.h"

/* The command's half: waits for the verdict; a start that dies without one has failed. */
static int await(int fd)
{
    unsigned char code = EXIT_FAILED;
    ssize_t n;
    do
        n = read(fd, &code, 1);
    while (n < 0 && errno == EINTR);
    close(fd);
    return n == 1 ? code : EXIT_FAILED;
}

int background_start(struct background *b)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return EXIT_FAILED;
    pid_t pid = fork();
    if (pid < 0)
        return EXIT_FAILED;
    if (pid > 0) {
        close(ends[1]);
        waitpid(pid, NULL, 0);
        return await(ends[0]);
    }
    close(ends[0]);
    setsid();
    if (fork() != 0) /* not a session leader: it can never get a terminal again */
        _exit(EXIT_DONE);
    b->ready_fd = descriptors_own(ends[1]);
    return -1;
}

void background_detach(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (null > STDERR_FILENO)
        close(null);
}

void background_ready(struct background *b, int code)
{
    unsigned char verdict = (unsigned char)code;
    if (b->ready_fd < 0)
        return;
    if (code == EXIT_DONE)
        background_detach();
    while (write(b->ready_fd, &verdict, 1) < 0 && errno == EINTR)
        ;
    descriptors_close(b->ready_fd);
    b->ready_fd = -1;
}

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

bool background_hangs_up(void)
{
    struct sigaction before;
    bool nohup = sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler == SIG_IGN;
    return !nohup && has_terminal();
}

void background_empty_stdin(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null >= 0 && null != STDIN_FILENO) {
        dup2(null, STDIN_FILENO);
        close(null);
    }
}
