#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/die.h"

static NORETURN void out_of_memory(size_t size)
{
    die("out of memory: %zu more bytes are not available; the process ends and continues from its checkpoints when "
        "splunkd starts it again", size);
}

void *mem_alloc(size_t size)
{
    void *fresh = calloc(1, size ? size : 1);

    if (!fresh)
        out_of_memory(size);
    return fresh;
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t bytes;
    void *fresh;

    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory(SIZE_MAX);
    fresh = realloc(old, bytes ? bytes : 1);
    if (!fresh)
        out_of_memory(bytes);
    return fresh;
}

char *mem_text_n(const char *bytes, size_t len)
{
    char *copy = mem_grow(NULL, len + 1, 1);

    if (len)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *mem_text(const char *text)
{
    return text ? mem_text_n(text, strlen(text)) : NULL;
}

char *mem_format(const char *fmt, ...)
{
    va_list args;
    char *text = NULL;
    int len;

    va_start(args, fmt);
    len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len < 0)
        out_of_memory(strlen(fmt));
    return text;
}

void *mem_lib_alloc(size_t size)
{
    return mem_grow(NULL, size, 1);
}

void *mem_lib_calloc(size_t count, size_t size)
{
    void *fresh = mem_grow(NULL, count, size);

    return memset(fresh, 0, count * size);
}

void *mem_lib_grow(void *old, size_t size)
{
    return mem_grow(old, size, 1);
}

char *mem_lib_text(const char *text)
{
    return mem_text(text);
}

void mem_free_secret(char *text)
{
    if (!text)
        return;
    explicit_bzero(text, strlen(text));
    free(text);
}

void mem_freep(void *pointer_to_pointer)
{
    void **slot = pointer_to_pointer;

    free(*slot);
    *slot = NULL;
}

void mem_free_secretp(char **text)
{
    mem_free_secret(*text);
    *text = NULL;
}

char *mem_take(char **text)
{
    char *owned = *text;

    *text = NULL;
    return owned;
}
