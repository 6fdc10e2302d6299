/* base/mem.h - memory that is there or the process is not.
 *
 * Out of memory ends the process with one log line: splunkd starts it again and the checkpoints are whole, whereas
 * half-finished work in every caller could never be tested. No function here returns NULL. */
#pragma once

#include "base/compiler.h"

void *mem_alloc(size_t size);                       /* zeroed */
void *mem_grow(void *old, size_t count, size_t size);   /* realloc of count * size, overflow checked, not zeroed */
char *mem_text(const char *text);                   /* copy; NULL stays NULL */
char *mem_text_n(const char *bytes, size_t len);    /* copy with a zero behind it */
char *mem_format(const char *fmt, ...) PRINTF(1, 2);

/* The same in the shape of malloc(), realloc() and strdup(): libraries are given these, so that none of them takes a
 * lack of memory for broken input. */
void *mem_lib_alloc(size_t size);
void *mem_lib_calloc(size_t count, size_t size);
void *mem_lib_grow(void *old, size_t size);
char *mem_lib_text(const char *text);

/* Overwrites in a way the compiler may not drop, then frees. For secrets. NULL is fine. */
void mem_free_secret(char *text);

/* For CLEANUP(): frees what the variable points at. */
void mem_freep(void *pointer_to_pointer);
void mem_free_secretp(char **text);

/* Hands ownership out of a CLEANUP() variable: returns its value and leaves NULL. */
char *mem_take(char **text);
