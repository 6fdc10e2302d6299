/* own_heap.h - included into each file of the simulator, so that its own memory is not counted as the program's. */
#pragma once

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);

#define malloc(size)          __real_malloc(size)
#define calloc(count, size)   __real_calloc(count, size)
#define realloc(memory, size) __real_realloc(memory, size)
#define free(memory)          __real_free(memory)
