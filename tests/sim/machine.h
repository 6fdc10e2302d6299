/* machine.h - the system calls: what machine.c, disk.c and curl.c share. */
#pragma once

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "sim.h"

/* Waits for the descriptors and, if told to, the transfers. Sets revents; returns how many are ready. */
int machine_wait(struct pollfd *fds, size_t count, int64_t wait, bool transfers);
bool machine_lost_power(void);
void machine_orphan(void); /* the parent has ended */

ssize_t disk_read(int fd, void *to, size_t len);
ssize_t disk_write(int fd, const void *bytes, size_t len);
int disk_close(int fd);
int disk_fstat(int fd, struct stat *st);

ssize_t __real_read(int fd, void *to, size_t len);
ssize_t __real_write(int fd, const void *bytes, size_t len);
int __real_close(int fd);
int __real_fcntl(int fd, int command, ...);
FILE *__real_fopen(const char *path, const char *mode);
int __real_open(const char *path, int flags, ...);
