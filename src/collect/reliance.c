#include "collect/reliance.h"

static void learn(int64_t *again_ms, int64_t other_ms)
{
    if (other_ms > *again_ms)
        *again_ms = other_ms;
}

void reliance_learn(struct reliance *reliance, const struct reliance *other)
{
    learn(&reliance->order_again_ms, other->order_again_ms);
    learn(&reliance->count_again_ms, other->count_again_ms);
    learn(&reliance->hint_again_ms, other->hint_again_ms);
}

static ticks kept(int64_t again_ms, int64_t wall_ms, int64_t now_ms)
{
    return again_ms > now_ms ? ticks_from_ms(wall_ms + again_ms - now_ms) : 0;
}

void reliance_keep(const struct reliance *reliance, struct checkpoint *checkpoint, int64_t wall_ms, int64_t now_ms)
{
    checkpoint->again.order = kept(reliance->order_again_ms, wall_ms, now_ms);
    checkpoint->again.count = kept(reliance->count_again_ms, wall_ms, now_ms);
    checkpoint->again.hint = kept(reliance->hint_again_ms, wall_ms, now_ms);
}

static int64_t taken(ticks again, int64_t wall_ms, int64_t now_ms)
{
    int64_t wait_ms = ticks_to_ms(again) - wall_ms;

    return again && wait_ms > 0 && wait_ms <= RELIANCE_AGAIN_MS ? now_ms + wait_ms : 0;
}

void reliance_take(struct reliance *reliance, const struct checkpoint *checkpoint, int64_t wall_ms, int64_t now_ms)
{
    *reliance = (struct reliance){ .order_again_ms = taken(checkpoint->again.order, wall_ms, now_ms),
                                   .count_again_ms = taken(checkpoint->again.count, wall_ms, now_ms),
                                   .hint_again_ms = taken(checkpoint->again.hint, wall_ms, now_ms) };
}
