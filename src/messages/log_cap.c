#include "messages/log_cap.h"

#include <stdlib.h>

#include "base/mem.h"

/* The minute of one kind of line. */
struct kind {
    enum event event;
    int64_t since_ms;
    unsigned written;
    uint64_t left_out;
    char *latest; /* NULL: none was left out yet */
};

struct log_cap {
    struct kind *kinds; /* those that have occurred */
    size_t count;
    size_t waiting; /* kinds with lines that were left out */
};

struct log_cap *log_cap_new(void)
{
    return mem_alloc(sizeof(struct log_cap));
}

void log_cap_free(struct log_cap *cap)
{
    size_t i;

    if (!cap)
        return;
    for (i = 0; i < cap->count; i++)
        free(cap->kinds[i].latest);
    free(cap->kinds);
    free(cap);
}

static struct kind *kind_of(struct log_cap *cap, enum event event, int64_t now_ms)
{
    size_t i;

    for (i = 0; i < cap->count; i++)
        if (cap->kinds[i].event == event)
            return &cap->kinds[i];
    cap->kinds = mem_grow(cap->kinds, cap->count + 1, sizeof(*cap->kinds));
    cap->kinds[cap->count] = (struct kind){ .event = event, .since_ms = now_ms };
    return &cap->kinds[cap->count++];
}

bool log_cap_take(struct log_cap *cap, enum event event, const char *text, int64_t now_ms)
{
    struct kind *kind = kind_of(cap, event, now_ms);

    if (!kind->left_out && now_ms - kind->since_ms >= LOG_CAP_MS) {
        kind->since_ms = now_ms;
        kind->written = 0;
    }
    if (kind->written < LOG_CAP_FIRST) {
        kind->written++;
        return true;
    }
    if (!kind->left_out++)
        cap->waiting++;
    free(kind->latest);
    kind->latest = mem_text(text);
    return false;
}

bool log_cap_due(struct log_cap *cap, bool at_end, int64_t now_ms, struct log_left_out *ret)
{
    size_t i;

    for (i = 0; cap->waiting && i < cap->count; i++) {
        struct kind *kind = &cap->kinds[i];

        if (!kind->left_out || (!at_end && now_ms - kind->since_ms < LOG_CAP_MS))
            continue;
        *ret = (struct log_left_out){ .event = kind->event,
                                      .count = kind->left_out,
                                      .for_s = (now_ms - kind->since_ms) / 1000,
                                      .text = kind->latest };
        kind->left_out = 0;
        kind->since_ms = now_ms;
        cap->waiting--;
        return true;
    }
    return false;
}
