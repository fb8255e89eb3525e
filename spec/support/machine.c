/* machine.c - how quick this machine is right now, for limits that are no test of the machine:
 *
 *   machine SOCKET [MILLISECONDS]
 *
 * By turns it forks, touches fresh pages and asks the redis-server at SOCKET for PONG, as long as
 * is said, and prints the medians: microseconds of a fork of a process with some pages, until its
 * child has ended; nanoseconds of a page fault; microseconds of a PING. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OWN_PAGES 500 /* what a worker has, about */
#define FORKS 4       /* in one turn */
#define FAULTS 500
#define PINGS 20
#define TURNS_MOST 1000
#define TURNS_LEAST 9
#define PAGE 4096

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static char *pages(size_t count)
{
    char *area =
        mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED)
        fail("mmap");
    for (size_t i = 0; i < count; i++)
        area[i * PAGE] = 1;
    return area;
}

static double fork_once(void)
{
    double began = now();
    for (int i = 0; i < FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid < 0 || waitpid(pid, NULL, 0) != pid)
            fail("fork");
    }
    return (now() - began) / FORKS * 1e6;
}

static double fault_once(void)
{
    double began = now();
    munmap(pages(FAULTS), FAULTS * PAGE);
    return (now() - began) / FAULTS * 1e9;
}

static double ping_once(int fd)
{
    char answer[16];
    double began = now();
    for (int i = 0; i < PINGS; i++)
        if (write(fd, "PING\r\n", 6) != 6 || read(fd, answer, sizeof answer) != 7)
            fail("PING");
    return (now() - began) / PINGS * 1e6;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        fail(path);
    return fd;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *list, int count)
{
    qsort(list, (size_t)count, sizeof *list, compare);
    return list[count / 2];
}

int main(int argc, char **argv)
{
    static double forks[TURNS_MOST], faults[TURNS_MOST], pings[TURNS_MOST];
    if (argc < 2) {
        fprintf(stderr, "usage: machine SOCKET [MILLISECONDS]\n");
        return 2;
    }
    int turns = 0, fd = connect_to(argv[1]);
    double until = now() + (argc > 2 ? atof(argv[2]) : 400) / 1e3;
    pages(OWN_PAGES);
    while (turns < TURNS_LEAST || (turns < TURNS_MOST && now() < until)) {
        forks[turns] = fork_once();
        faults[turns] = fault_once();
        pings[turns++] = ping_once(fd);
    }
    printf("%.0f %.0f %.0f\n", median(forks, turns), median(faults, turns), median(pings, turns));
    return 0;
}
