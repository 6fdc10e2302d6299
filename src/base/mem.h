/* base/mem.h - memory. No function here returns NULL, unless its comment says so.
 *
 * Out of memory ends the process with one log line. splunkd starts it again, and its checkpoints are whole,
 * whereas code in every caller for half-finished work could not be tested. A process that writes events keeps memory
 * back, so that it can still save which events it has written: otherwise each of its lives would write the same
 * ones. */
#pragma once

#include "base/compiler.h"

void *mem_alloc(size_t size) BYTES_OF(1); /* zeroed */
/* realloc() to count * size; overflow is checked; not zeroed. */
void *mem_grow(void *old, size_t count, size_t size) BYTES_OF(2, 3);
/* Returns pages of the system, zeroed, that grow without a copy (old and old_size: the present ones; NULL and 0: none) */
void *mem_map(void *old, size_t old_size, size_t size);
void mem_unmap(void *pages, size_t size);
char *mem_text(const char *text);                /* copy; NULL for NULL */
char *mem_text_n(const char *bytes, size_t len); /* copy with a zero byte after it */
char *mem_format(const char *fmt, ...) PRINTF(1, 2);

/* What happens when memory runs out. The first time, a block that was kept back is freed, stop() is called, and the
 * allocation is tried again: work in hand is finished, no new work begins. If memory runs out again, the second
 * block is freed, and save() is called from inside of the allocation that failed; then the process ends. */
struct mem_end {
    void (*stop)(void *ctx); /* allocates nothing */
    void (*save)(void *ctx);
    void *ctx;
};
/* Keeps the blocks back. Without that much memory, the process ends before it has begun. */
void mem_keep_back(const struct mem_end *end);
/* Frees what is left of the blocks; memory that runs out ends the process at once again. */
void mem_give_back(void);
/* Returns true once memory has run out. */
bool mem_ran_out(void);

/* The same with the signatures of malloc(), calloc(), realloc(), strdup() and free(), for libraries: a library must not
 * take a lack of memory for broken input. What is freed or moved is overwritten: libraries keep copies of secrets. */
void *mem_lib_alloc(size_t size);
void *mem_lib_calloc(size_t count, size_t size);
void *mem_lib_grow(void *old, size_t size);
char *mem_lib_text(const char *text);
void mem_lib_free(void *memory);

/* Overwrites the text in a way that the compiler may not remove, then frees it. NULL is allowed. */
void mem_free_secret(char *text);

/* Free the variable's value and set it to NULL. For CLEANUP(). */
void mem_freep(void *pointer_to_pointer);
void mem_free_secretp(char **text);

/* Returns the value of a CLEANUP() variable and leaves NULL in it: the caller owns the value. */
char *mem_take(char **text);
