#include "collect/trust.h"

#define PASS_PAGES 64 /* most pages of a pass ... */
#define PASS_PART                                                                                                      \
    3 /* ... but at first no more than TRUST_PASS_FIRST, and one more for each of as many that were proven */
#define TRUST_LEAST 8 /* fewer records may be in order, or counted right, by chance */
#define REST_MORE   2 /* as many records may be of the very time, or second, at which the part ends */
#define DOUBTS_MOST 3 /* pages in a row that are fewer than were counted, before the count is not relied on */

bool trust_is_orderly(const struct reliance *reliance)
{
    return reliance->proven || reliance->agreed || (reliance->orderly && reliance->uncounted);
}

bool trust_knows_rest(const struct reliance *reliance)
{
    return reliance->before.hi && reliance->rest >= TRUST_LEAST;
}

size_t trust_pass_pages(const struct reliance *reliance)
{
    size_t pages = TRUST_PASS_FIRST + reliance->passed / PASS_PART;

    return !reliance->agreed ? 0 : pages < PASS_PAGES ? pages : PASS_PAGES;
}

void trust_lost(struct reading *reading, enum ask ask, const char *why, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    struct reliance *reliance = &feed->reliance;
    bool uncounted = reading->ask == ASK_ORDER && reading->answer.stats.count && reading->answer.counted < 0;
    bool was_known = now_ms < reliance->order_again_ms && ask == ASK_COUNT;

    reliance->order_again_ms = now_ms + RELIANCE_AGAIN_MS;
    if (ask == ASK_COUNT || uncounted)
        reliance->count_again_ms = now_ms + RELIANCE_AGAIN_MS;
    if (ask != ASK_COUNT) {
        reliance->hint_again_ms = now_ms + RELIANCE_AGAIN_MS;
        reliance->proven = reliance->orderly = false;
    } else {
        reliance->agreed = false;
        reliance->passed = 0;
    }
    feed_log(feed, EVENT_ORDER, why, "for %d hours the service is not relied on for its %s",
             (int)(RELIANCE_AGAIN_MS / 3600000),
             ask != ASK_COUNT ? "order"
             : was_known      ? "count"
                              : "order and count");
}

void trust_lost_all(struct reading *reading, const char *why, int64_t now_ms)
{
    trust_lost(reading, ASK_COUNT, why, now_ms);
    reading->feed->reliance.hint_again_ms = reading->feed->reliance.order_again_ms;
}

bool trust_has_more(const struct reading *reading, const struct page_taken *page)
{
    bool has_link = page->link && *page->link;
    int64_t counted = reading->answer.counted;

    return pages_is_full(page) || (counted < 0 ? has_link : counted > (int64_t)page->stats.count);
}

const char *trust_out_of_order(const struct reading *reading, const struct page_taken *page)
{
    if (!page->stats.count)
        return "the service sends empty pages before others";
    if (reading->answer.sequence.broken)
        return "the records are not in ascending order of their update time";
    if (page->stats.oldest < reading->window.lo)
        return "the service's filter is coarser than it was asked to be";
    return NULL;
}

/* Takes a count that is higher than what came with a page that neither is full nor has a link. A smaller window decides
 * whether the service sends fewer records than it was asked for, or counts records that it does not have: it does the
 * latter if it could send as many before. */
static void doubt(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct reliance *reliance = &reading->feed->reliance;
    size_t count = page->stats.count, largest = reliance->largest;
    bool decided = count * 2 <= largest || (count < largest && reliance->doubted.times >= DOUBTS_MOST);

    if (!reliance->doubted.times++) {
        reliance->doubted.decided = false;
        reliance->doubted.kind = reading->kind;
        reliance->doubted.window = reading->window;
        reliance->doubted.stats = page->stats;
        reliance->doubted.limit = reading_limit(reading);
    }
    if (!decided && count)
        return;
    reliance->doubted.decided = true;
    trust_lost(reading, ASK_COUNT, "the service counts records that it does not send", now_ms);
    reading->answer.counted = -1;
}

void trust_settles_doubt(struct reading *reading)
{
    struct reliance *reliance = &reading->feed->reliance;
    bool settles = reliance->doubted.times && reliance->doubted.decided && reliance->doubted.kind == reading->kind &&
                   reliance->doubted.window.lo == reading->window.lo &&
                   reliance->doubted.window.hi > reading->window.hi && !reading_is_partial(reading) &&
                   !reading->pages.fresh; /* the shorter window brought nothing new */

    if (settles) {
        reading->window = reliance->doubted.window;
        reading->pages.stats = reliance->doubted.stats;
        reading->sent_at = reliance->doubted.limit;
    }
    reliance->doubted.times = 0;
}

/* Returns how many records of a window tell that the service is right: most of a page, if pages are that small. */
static int64_t trust_least(const struct reliance *reliance)
{
    return reliance->largest < TRUST_LEAST * 2 ? ((int64_t)reliance->largest + 1) / 2 : TRUST_LEAST;
}

/* Compares the count of a window with what the count of a longer one left for it. Before the oldest record of a page that
 * has the latest ones of its window there are as many as were counted besides them. */
static void learn_from_parts(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct reliance *reliance = &reading->feed->reliance;
    const struct window *window = &reading->window;
    int64_t counted = reading->answer.counted, count = (int64_t)page->stats.count;
    bool is_part = window->lo == reliance->before.lo && window->hi <= reliance->before.hi;
    bool is_all = is_part && window->hi >= reliance->before.hi - TICKS_PER_SECOND && reliance->rest >= TRUST_LEAST;

    if (is_part && counted > (int64_t)(reliance->rest + reliance->largest / 2 + REST_MORE))
        trust_lost(reading, ASK_COUNT, "the service counts more records of a part than of the whole", now_ms);
    else if (is_all && counted >= (int64_t)reliance->rest && counted <= (int64_t)reliance->rest + REST_MORE)
        reliance->agreed = true;
    if (is_part && !counted && !count && window->hi < reliance->before.hi)
        reliance->before.lo = window->hi; /* the same are left for what comes after it */
    else if (reading->kind != WORKER_LIVE || window->lo == reliance->before.lo)
        reliance->before = (struct window){ 0, 0 };
    if (counted > count && page->stats.oldest < page->stats.newest && !page->stats.rises) {
        reliance->before = (struct window){ window->lo, page->stats.oldest + TICKS_PER_SECOND };
        reliance->rest = (size_t)(counted - count);
    }
}

void trust_learn(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct reliance *reliance = &reading->feed->reliance;
    int64_t counted = reading->answer.counted, count = (int64_t)page->stats.count;
    bool held_all = !trust_has_more(reading, page) && !reading->answer.outside;

    reliance->said = reading->ask == ASK_COUNT || reading->ask == ASK_ORDER ? counted : -1;
    if ((reading->ask != ASK_COUNT && reading->ask != ASK_ORDER) ||
        reading->feed->progress.keysets[reading->kind].check)
        return;
    reliance->uncounted = counted < 0;
    reliance->largest = page->stats.count > reliance->largest ? page->stats.count : reliance->largest;
    if (counted > count && !pages_is_full(page) && !(page->link && *page->link)) {
        doubt(reading, page, now_ms);
        return;
    }
    reliance->doubted.times = 0;
    learn_from_parts(reading, page, now_ms);
    if (counted > count)
        reliance->beyond = true;
    if (trust_has_more(reading, page) && counted == count && count)
        reliance->beyond = false;
    if (reading->ask == ASK_ORDER && held_all && reading->answer.sequence.broken && count > 1 &&
        !reading->answer.malformed)
        trust_lost(reading, ASK_ORDER, trust_out_of_order(reading, page), now_ms);
    else if (reading->ask == ASK_ORDER && held_all && count > 1 && count >= trust_least(reliance))
        reliance->orderly = true;
}

void trust_window_read(struct reading *reading, int64_t now_ms)
{
    struct reliance *reliance = &reading->feed->reliance;
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];
    int64_t count = (int64_t)reading->pages.stats.count, counted = reliance->said;
    double width = (double)(reading->window.hi - reading->window.lo);
    size_t most;

    if (reading->kind == WORKER_QUARANTINE || reading->answer.outside)
        return;
    if (!count)
        keyset_read_nothing(keyset);
    if (reading->pages.counted) {
        reliance->passed += reading->pages.count;
        reliance->agreed = true;
        most = trust_pass_pages(reliance) * reliance->largest;
        keyset_limit(keyset, (ticks)(width * TRUST_PASS_AIM * (double)most / (double)count));
    } else if (counted == count) {
        reliance->miscounted = 0;
        reliance->agreed |= count > 1 && count >= trust_least(reliance);
    } else if (counted >= 0 && now_ms >= reliance->count_again_ms && ++reliance->miscounted > 1) {
        trust_lost(reading, ASK_COUNT, "the service counts other records than it sends", now_ms);
    }
}
