#include "state/keyset.h"

#define PAGES_FIRST   2   /* pages of the first part before it is counted; one if that brings others as well */
#define PAGES_MOST    8   /* ... and of later ones */
#define REACH         0.7 /* part of the last page's width after it, in which less than a page is to be expected */
#define UNPROVEN_MOST 2   /* parts or passes in a row that prove nothing before the service is not relied on */
#define SPAN_MOST     (INT64_C(366) * 86400 * TICKS_PER_SECOND)

void keyset_forget(struct keyset *keyset)
{
    keyset->from = keyset->at = 0;
    keyset->seen = 0;
    keyset->pages = 0;
    keyset->check = false;
}

void keyset_read(struct keyset *keyset)
{
    keyset->unproven = 0;
    keyset->span = keyset->span > SPAN_MOST ? 0 : keyset->span * 2;
}

void keyset_limit(struct keyset *keyset, ticks span)
{
    keyset->span = ticks_max(span, 1);
}

void keyset_narrow(struct keyset *keyset, const struct window *window)
{
    keyset_limit(keyset, (window->hi - window->lo) / 2);
}

void keyset_count(struct keyset *keyset, bool last)
{
    keyset->check = true;
    keyset->reach = last ? TICKS_OPEN : keyset->at;
}

void keyset_count_alone(struct keyset *keyset)
{
    keyset_count(keyset, false);
}

void keyset_extend(struct keyset *keyset, ticks to, size_t count)
{
    keyset->at = to;
    keyset->seen += count;
}

bool keyset_is_unproven(struct keyset *keyset)
{
    keyset->proven = 0;
    return ++keyset->unproven >= UNPROVEN_MOST;
}

void keyset_add(struct keyset *keyset, const struct keyset_page *page)
{
    if (!keyset->at) {
        keyset_forget(keyset);
        keyset->from = page->lo;
        keyset->total = page->counted;
        keyset->first = page->count;
        keyset->sent_at = page->sent_at;
    }
    keyset->at = page->cut;
    keyset->seen += page->before;
    keyset->rest = page->counted < 0 ? -1 : page->counted - (int64_t)page->before;
    keyset->reach = page->cut + (ticks)((double)(page->cut - page->lo) * REACH);
    keyset->check = ++keyset->pages >= (keyset->proven      ? PAGES_MOST
                                        : page->counted < 0 ? 1
                                                            : PAGES_FIRST) ||
                    (page->counted >= 0 && page->counted <= (int64_t)page->count) || /* it may just be the page's */
                    (page->counted < 0 && keyset->seen + page->count > page->skips);
}

bool keyset_agrees(const struct keyset *keyset, int64_t counted)
{
    return keyset->pages == 1 && counted >= 0 && keyset->rest == counted;
}

bool keyset_counts_beyond(const struct keyset *keyset)
{
    return keyset->total > (int64_t)keyset->first;
}

bool keyset_is_counted(const struct keyset *keyset, int64_t counted)
{
    return counted == (int64_t)keyset->seen;
}

bool keyset_skips(const struct keyset *keyset, size_t *skip)
{
    bool skips = keyset->check && keyset->rest < 0;

    *skip = skips && keyset->seen ? keyset->seen - 1 : 0;
    return skips;
}
