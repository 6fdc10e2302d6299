/* Preloaded into the program by test_process.py: a sync of the disk takes as many seconds as the file SLOW_DISK
 * says. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int fdatasync(int fd)
{
    FILE *file = getenv("SLOW_DISK") ? fopen(getenv("SLOW_DISK"), "r") : NULL;
    double seconds = 0;

    (void)fd;
    if (file && fscanf(file, "%lf", &seconds) != 1)
        seconds = 0;
    if (file)
        fclose(file);
    usleep((useconds_t)(seconds * 1e6));
    return 0;
}
