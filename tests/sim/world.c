/* Time, the queue of what will happen, random numbers, the trace, the verdict. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

#define EPOCH_MS INT64_C(1780272000000) /* 2026-06-01, when each world begins */
#define BOOT_MS  (100 * MINUTE)
#define TAIL     60 /* lines of the trace that a failure shows */
#define LINE     400

struct happening {
    int64_t time;
    uint64_t order;
    happen_fn *fn;
    void *ctx;
    int64_t number;
};

struct plan plan;
struct counts *counts;

static struct happening *heap;
static size_t heap_len, heap_cap;
static uint64_t next_order;
static int64_t time_now;
static struct rng world_luck;
static char tail[TAIL][LINE];
static uint64_t lines, digest;

/* Random numbers: splitmix64. */

uint64_t rng_next(struct rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

struct rng rng_of(uint64_t seed, const char *name, uint64_t number)
{
    struct rng rng = { seed };

    for (; *name; name++)
        rng.state = rng_next(&rng) ^ (unsigned char)*name;
    rng.state = rng_next(&rng) ^ number;
    rng_next(&rng);
    return rng;
}

int64_t rng_between(struct rng *rng, int64_t least, int64_t most)
{
    return most <= least ? least : least + (int64_t)(rng_next(rng) % (uint64_t)(most - least + 1));
}

bool rng_chance(struct rng *rng, double chance)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53 < chance;
}

struct rng *luck(void)
{
    return &world_luck;
}

/* Time. */

void world_init(void)
{
    time_now = BOOT_MS;
    digest = UINT64_C(0xCBF29CE484222325);
    world_luck = rng_of(plan.seed, "world", 0);
}

int64_t now(void)
{
    return time_now;
}

int64_t wall_of(int64_t time)
{
    return EPOCH_MS + time - BOOT_MS;
}

static bool earlier(const struct happening *a, const struct happening *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

void at(int64_t time, happen_fn *fn, void *ctx, int64_t number)
{
    struct happening new = { time > time_now ? time : time_now, next_order++, fn, ctx, number };
    size_t i;

    if (heap_len == heap_cap) {
        heap_cap = heap_cap * 2 + 64;
        heap = realloc(heap, heap_cap * sizeof(*heap));
    }
    for (i = heap_len++; i && earlier(&new, &heap[(i - 1) / 2]); i = (i - 1) / 2)
        heap[i] = heap[(i - 1) / 2];
    heap[i] = new;
}

static struct happening take_first(void)
{
    struct happening first = heap[0], last = heap[--heap_len];
    size_t i = 0, child;

    while ((child = 2 * i + 1) < heap_len) {
        if (child + 1 < heap_len && earlier(&heap[child + 1], &heap[child]))
            child++;
        if (!earlier(&heap[child], &last))
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

void world_run(int64_t until, bool (*ready)(void))
{
    struct happening next;

    while (!(ready && ready())) {
        if (!heap_len || heap[0].time > until) {
            if (until > time_now && until != NEVER)
                time_now = until;
            return;
        }
        next = take_first();
        time_now = next.time;
        next.fn(next.ctx, next.number);
    }
}

/* The trace. */

static size_t put_number(char *to, int64_t number, int digits)
{
    for (int i = digits; i--; number /= 10)
        to[i] = (char)('0' + number % 10);
    return (size_t)digits;
}

static size_t put_time(char line[LINE])
{
    int64_t t = time_now - BOOT_MS;
    size_t len = put_number(line, t / HOUR, t / HOUR > 999 ? 6 : 3);

    line[len++] = ':';
    len += put_number(line + len, t / MINUTE % 60, 2);
    line[len++] = ':';
    len += put_number(line + len, t / SECOND % 60, 2);
    line[len++] = '.';
    len += put_number(line + len, t % SECOND, 3);
    line[len++] = ' ';
    return len;
}

/* Takes the line into the digest, eight bytes at a time. */
static void end_line(const char *line, size_t len)
{
    uint64_t word;

    for (size_t i = 0; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, line + i, sizeof(word));
        digest = (digest ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        digest ^= digest >> 29;
    }
    for (size_t i = len / sizeof(word) * sizeof(word); i < len; i++)
        digest = (digest ^ (unsigned char)line[i]) * UINT64_C(0x100000001B3);
    if (plan.trace)
        puts(line);
}

bool trace_kept;

/* Begins the next line with the time, and sets *len. Returns NULL if none is kept. */
static char *begin_line(size_t *len)
{
    char *line = tail[lines % TAIL];

    if (!trace_kept)
        return NULL;
    lines++;
    *len = put_time(line);
    return line;
}

void trace(const char *fmt, ...)
{
    size_t len;
    char *line = begin_line(&len);
    va_list args;
    int more;

    if (!line)
        return;
    va_start(args, fmt);
    more = vsnprintf(line + len, LINE - len, fmt, args);
    va_end(args);
    end_line(line, (size_t)more < LINE - len ? len + (size_t)more : LINE - 1);
}

void trace_log(const char *text, size_t text_len)
{
    size_t len;
    char *line = begin_line(&len);

    if (!line)
        return;
    memcpy(line + len, "log: ", 5);
    len += 5;
    text_len = text_len < LINE - len - 1 ? text_len : LINE - len - 1;
    memcpy(line + len, text, text_len);
    line[len + text_len] = '\0';
    end_line(line, len + text_len);
}

uint64_t trace_digest(void)
{
    return digest;
}

void broken(const char *property, const char *fmt, ...)
{
    char why[1000];
    va_list args;

    snprintf(counts->property, sizeof(counts->property), "%s", property);
    if (!trace_kept)
        _exit(1);
    va_start(args, fmt);
    vsnprintf(why, sizeof(why), fmt, args);
    va_end(args);
    if (!plan.trace)
        for (uint64_t i = lines > TAIL ? lines - TAIL : 0; i < lines; i++)
            puts(tail[i % TAIL]);
    trace("broken: %s", property);
    printf("FAILED property=%s: %s\n", property, why);
    plan_print(&plan);
    fflush(stdout);
    _exit(1);
}
