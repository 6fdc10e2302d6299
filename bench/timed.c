/* bench/timed.c - runs a program and says what it cost: `timed RESULT PROGRAM ARGUMENT...`.
 *
 * A process of its own, small and not the driver: the peak RSS that the kernel reports for a child begins with what its
 * parent held. SIGTERM goes on to the program. RESULT gets one line of JSON. */
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;
static pid_t child;

static void pass_on(int number)
{
    kill(child, number);
}

static uint64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
    struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
    struct rusage usage;
    uint64_t began;
    int status;
    FILE *result;

    if (argc < 3)
        return 2;
    began = now_us();
    if (posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ))
        return 127;
    sigaction(SIGTERM, &action, NULL);
    while (wait4(child, &status, 0, &usage) < 0)
        ;
    result = fopen(argv[1], "w");
    if (!result)
        return 2;
    fprintf(result, "{\"user_s\": %ld.%06ld, \"sys_s\": %ld.%06ld, \"rss_kb\": %ld, \"faults\": %ld, \"began_ms\": %.3f, "
            "\"wall_s\": %.3f, \"status\": %d}\n", (long)usage.ru_utime.tv_sec, (long)usage.ru_utime.tv_usec, (long)usage.ru_stime.tv_sec,
            (long)usage.ru_stime.tv_usec, usage.ru_maxrss, usage.ru_minflt, (double)began / 1e3,
            (double)(now_us() - began) / 1e6,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    fclose(result);
    return 0;
}
