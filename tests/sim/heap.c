/* The program's heap: how much it has at a time. What libraries allocate for themselves is not counted. */
#include <malloc.h>

#include "sim.h"

#define KEPT_BACK  (12 << 20) /* for when memory runs out; never touched (base/mem.h) */
#define USUAL_MOST (KEPT_BACK + (8 << 20))  /* docs/performance.md: 20 MB resident, of which the code takes some */
#define FULL_MOST  (KEPT_BACK + (48 << 20)) /* while splunkd is not reading: 64 MB resident */

#define MANY       100   /* customers; each one more ... */
#define EACH       25000 /* ... may have this */

static int64_t used, peak, at_boot;

static void took(void *memory)
{
    used += memory ? (int64_t)malloc_usable_size(memory) : 0;
    if (used > peak)
        peak = used;
}

static void gives(void *memory)
{
    used -= memory ? (int64_t)malloc_usable_size(memory) : 0;
}

void *__wrap_malloc(size_t size)
{
    void *memory = malloc(size);

    took(memory);
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    took(memory);
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    gives(memory);
    memory = realloc(memory, size);
    took(memory);
    return memory;
}

void __wrap_free(void *memory)
{
    gives(memory);
    free(memory);
}

int64_t heap_used(void)
{
    return used - at_boot;
}

void heap_boot(void)
{
    at_boot = peak = used;
}

void heap_check(bool full)
{
    int64_t most = (full ? FULL_MOST : USUAL_MOST) + (plan.customers > MANY ? (plan.customers - MANY) * EACH : 0);

    if (peak - at_boot > (int64_t)counts->heap)
        counts->heap = (uint64_t)(peak - at_boot);
    if (peak - at_boot > most)
        broken("memory", "the program had %lld bytes of memory, %lld are allowed", (long long)(peak - at_boot),
               (long long)most);
    peak = used;
}

/* The first process leaves what is allocated once. */
void heap_end(void)
{
    if (counts->lives > 1 && used > at_boot)
        broken("memory", "%lld bytes are not freed at the end", (long long)(used - at_boot));
}
