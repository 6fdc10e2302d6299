#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/die.h"

#define STOP_BYTES ((size_t)4 << 20) /* for the work in hand, and for an end as after SIGTERM */
#define SAVE_BYTES ((size_t)8 << 20) /* for the text of one checkpoint after the other */
#define WORDS                                                                                                          \
    "out of memory: %zu more bytes are not available; the process ends and continues from its "                        \
    "checkpoints when splunkd starts it again"

static struct mem_end on_end;
static void *stop_block, *save_block;
static bool ran_out;

/* Returns if the allocation may be tried again. */
static void out_of_memory(size_t size)
{
    void *block = stop_block ? stop_block : save_block;

    if (!ran_out)
        die_soon(WORDS, size);
    ran_out = true;
    if (!block)
        exit(1);
    free(block);
    if (block == stop_block) {
        stop_block = NULL;
        on_end.stop(on_end.ctx);
        return;
    }
    save_block = NULL;
    on_end.save(on_end.ctx);
    exit(1);
}

void mem_keep_back(const struct mem_end *end)
{
    void *first = malloc(STOP_BYTES), *second = malloc(SAVE_BYTES);

    if (!first || !second)
        out_of_memory(STOP_BYTES + SAVE_BYTES);
    on_end = *end;
    stop_block = first;
    save_block = second;
}

void mem_give_back(void)
{
    mem_freep(&stop_block);
    mem_freep(&save_block);
}

bool mem_ran_out(void)
{
    return ran_out;
}

void *mem_alloc(size_t size)
{
    void *fresh;

    while (!(fresh = calloc(1, size ? size : 1)))
        out_of_memory(size);
    return fresh;
}

void *mem_grow(void *old, size_t count, size_t size)
{
    size_t bytes;
    void *fresh;

    if (__builtin_mul_overflow(count, size, &bytes))
        bytes = PTRDIFF_MAX; /* more than there is */
    while (!(fresh = realloc(old, bytes ? bytes : 1)))
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

void *mem_map(void *old, size_t old_size, size_t size)
{
    void *pages;

    for (;;) {
        pages = old ? mremap(old, old_size, size, MREMAP_MAYMOVE)
                    : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages != MAP_FAILED)
            return pages;
        out_of_memory(size);
    }
}

void mem_unmap(void *pages, size_t size)
{
    munmap(pages, size);
}

char *mem_text(const char *text)
{
    return text ? mem_text_n(text, strlen(text)) : NULL;
}

/* Not vasprintf(), which may leave copies of a secret in memory that it frees. */
char *mem_format(const char *fmt, ...)
{
    va_list args;
    char *text;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(len >= 0);
    text = mem_grow(NULL, (size_t)len + 1, 1);
    va_start(args, fmt);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    va_end(args);
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

void mem_lib_free(void *memory)
{
    if (memory)
        explicit_bzero(memory, malloc_usable_size(memory));
    free(memory);
}

void *mem_lib_grow(void *old, size_t size)
{
    size_t had = old ? malloc_usable_size(old) : 0;
    void *fresh = mem_grow(NULL, size, 1);

    if (old)
        memcpy(fresh, old, had < size ? had : size);
    mem_lib_free(old);
    return fresh;
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
