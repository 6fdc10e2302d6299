/* base/mem.h - memory. No function here returns NULL, unless its comment says so.
 *
 * Out of memory ends the process with one log line. splunkd starts it again, and its checkpoints are whole, whereas
 * code in every caller for half-finished work could not be tested. */
#pragma once

#include "base/compiler.h"

void *mem_alloc(size_t size);                           /* zeroed */
void *mem_grow(void *old, size_t count, size_t size);   /* realloc to count * size; overflow is checked; not zeroed */
char *mem_text(const char *text);                       /* copy; NULL for NULL */
char *mem_text_n(const char *bytes, size_t len);        /* copy with a zero byte after it */
char *mem_format(const char *fmt, ...) PRINTF(1, 2);

/* The same with the signatures of malloc(), calloc(), realloc() and strdup(), for libraries: a library must not take a
 * lack of memory for broken input. */
void *mem_lib_alloc(size_t size);
void *mem_lib_calloc(size_t count, size_t size);
void *mem_lib_grow(void *old, size_t size);
char *mem_lib_text(const char *text);

/* Overwrites the text in a way that the compiler may not remove, then frees it. NULL is allowed. */
void mem_free_secret(char *text);

/* Free the variable's value and set it to NULL. For CLEANUP(). */
void mem_freep(void *pointer_to_pointer);
void mem_free_secretp(char **text);

/* Returns the value of a CLEANUP() variable and leaves NULL in it: the caller owns the value. */
char *mem_take(char **text);
