/* Preloaded into the program by test_memory.py: one allocation, the FAIL_AT-th one of the program, is refused. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static long left = -1;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("FAIL_AT");

    left = text ? strtol(text, NULL, 10) : 0;
}

static int refused(void)
{
    if (left <= 0 || __atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED))
        return 0;
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return refused() ? NULL : __libc_realloc(old, size);
}
