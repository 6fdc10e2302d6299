#include "collect/worker_retry.h"

#include "base/digest.h"
#include "base/backoff.h"

#define SMALLER_EVERY 3 /* failures in a row before a smaller page is requested */

bool worker_retry_split(struct reading *reading, const struct page_stats *stats)
{
    struct feed *feed = reading->feed;
    ticks present = reading->timeless ? reading_limit(reading) : reading_present(reading->sent_at, stats->newest);

    return progress_split(&feed->progress, reading->kind, &reading->window, stats,
                          feed->api->resolution(reading->variant), present);
}

/* While pages can still shrink, the pauses stay short. */
static int pause_number(const struct reading *reading, bool may_be_size)
{
    int failures = reading->attempts.failures;
    bool shrinks = may_be_size && page_size_can_shrink(&reading->page_size, reading_page_most(reading));

    return shrinks && failures > SMALLER_EVERY ? SMALLER_EVERY : failures;
}

struct next worker_retry_failed(struct reading *reading, const struct err *err, bool may_be_size)
{
    int failures = ++reading->attempts.failures;
    struct next next = { .kind = NEXT_RETRY, .err = *err, .tries = failures };
    bool just_grown;

    next.wait_ms = backoff_wait_ms(pause_number(reading, may_be_size), err->wait_ms, random_below(UINT32_MAX));
    pages_forget(&reading->pages);
    just_grown = page_size_failed(&reading->page_size, failures, may_be_size);
    if (just_grown || (may_be_size && failures % SMALLER_EVERY == 0))
        reading_shrink_page(reading);
    return next;
}

struct next worker_retry_throttled(struct reading *reading, const struct err *err)
{
    int failures = ++reading->attempts.failures;

    pages_forget(&reading->pages);
    return (struct next){ .kind = NEXT_THROTTLED,
                          .err = *err,
                          .wait_ms = backoff_wait_ms(failures, err->wait_ms, random_below(UINT32_MAX)) };
}

/* Counts a refusal. Returns the decision to repeat the request soon, or to treat it as refused. */
static struct next refused(struct reading *reading, const struct err *err)
{
    int refusals = ++reading->attempts.refusals;
    int64_t quick_ms = backoff_quick_ms(refusals);

    pages_forget(&reading->pages);
    if (quick_ms)
        return (struct next){ .kind = NEXT_RETRY, .err = *err, .tries = refusals, .wait_ms = quick_ms };
    refusals -= BACKOFF_QUICK_TRIES;
    return (struct next){ .kind = NEXT_REFUSED,
                          .err = *err,
                          .tries = refusals,
                          .wait_ms = backoff_refused_ms(refusals) };
}

struct next worker_retry_refused(struct reading *reading, const struct err *err)
{
    reading->attempts.fresh_token = true;
    return refused(reading, err);
}

struct next worker_retry_bad_request(struct reading *reading, const struct err *err)
{
    struct variant *variant = reading_variant(reading), *other = reading_other_variant(reading);
    bool in_trial = variant->returns || reading->attempts.refusals > BACKOFF_QUICK_TRIES;
    bool it_lasts = variant->state == VARIANT_SEARCH || other->state != VARIANT_FULL;

    if (page_size_refused(&reading->page_size, reading->answer.top, reading->feed->api->top_first)) {
        pages_forget(&reading->pages);
        return (struct next){ .kind = NEXT_NOW };
    }
    if (!it_lasts && reading->attempts.refusals < BACKOFF_QUICK_TRIES)
        return refused(reading, err);
    pages_forget(&reading->pages);
    if (!variant_refused(variant, reading->variant, reading->feed->api->variants))
        return refused(reading, err);
    return (struct next){ .kind = in_trial ? NEXT_NOW : NEXT_VARIANT, .err = *err };
}

void worker_retry_recovered(struct reading *reading)
{
    reading->attempts = (struct attempts){ .failures = 0 };
    page_size_worked(&reading->page_size, reading->feed->api->top);
}
