#include "collect/variant.h"

#include "base/backoff.h"

/* Uses this variant until the full one is tried again. */
static void settle(struct variant *variant, int settled, int64_t now_ms)
{
    variant->current = variant->settled = settled;
    variant->state = settled ? VARIANT_SIMPLER : VARIANT_FULL;
    variant->returns = settled ? variant->returns + 1 : 0;
    variant->retry_ms = now_ms + backoff_full_query_ms(variant->returns);
}

void variant_search(struct variant *variant)
{
    if (!variant->settled)
        return;
    variant->state = VARIANT_SEARCH;
    variant->current = 0;
}

int variant_choose(struct variant *variant, int64_t now_ms)
{
    if (variant->state == VARIANT_SIMPLER && now_ms >= variant->retry_ms)
        variant_search(variant);
    return variant->current;
}

bool variant_worked(struct variant *variant, int used, int64_t now_ms)
{
    bool full_again = !used && variant->settled;

    if (variant->state != VARIANT_SEARCH || used != variant->current)
        return false;
    settle(variant, used, now_ms);
    return full_again;
}

bool variant_refused(struct variant *variant, int used, int count)
{
    bool begins = variant->state != VARIANT_SEARCH;

    if (used != variant->current)
        return true;
    variant->state = VARIANT_SEARCH;
    variant->current = used + 1 < count ? used + 1 : 0;
    if (begins && used) /* it had worked: the search is for the best one that works now */
        variant->current = 0;
    return variant->current || (begins && used);
}

void variant_failed(struct variant *variant, int used, int64_t now_ms)
{
    if (variant->state == VARIANT_SEARCH && variant->settled && used == variant->current)
        settle(variant, variant->settled, now_ms);
}
