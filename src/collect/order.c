#include "collect/order.h"

#include "collect/distrust.h"

#define LIVE_PAGES   4     /* more are read by the backfill, so that polls go on */
#define COARSE_PART  16    /* the cut is at a whole second if that leaves out at most one record in 16 */
#define OUTSIDE_FEW  10    /* records outside of the window that were just updated meanwhile */
#define PASS_PAGES   64    /* most pages of a window that is read page after page ... */
#define PASS_RECORDS 50000 /* ... and records */

/* Returns what can be asked of the service for a window that may have several pages. A service may refuse to sort, so a
 * new one is not asked to where one page or two may hold all. */
static enum ask what_it_knows(const struct reading *reading, int64_t now_ms)
{
    const struct feed *feed = reading->feed;
    bool in_windows = reading->kind == WORKER_BACKFILL || feed->progress.plans[reading->kind].active;
    bool one = !feed->reliance.proven && (!in_windows || feed->progress.plans[reading->kind].few);

    if (!one && now_ms >= feed->reliance.order_again_ms)
        return ASK_ORDER;
    if (now_ms >= feed->reliance.count_again_ms)
        return ASK_COUNT;
    return in_windows && now_ms >= feed->reliance.hint_again_ms ? ASK_HINT : ASK_PLAIN;
}

void order_choose(struct reading *reading, ticks now, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    bool refuses = feed->variants[WORKER_LIVE].state != VARIANT_FULL ||
                   feed->variants[reading->kind].state != VARIANT_FULL; /* ... queries, at present */
    bool may_ask = feed->api->sorts && !refuses && reading->suspicion.state != SUSPICION_PROBE;
    bool is_long = may_ask && progress_is_long(&feed->progress, reading->kind, now);

    reading->ask = is_long ? what_it_knows(reading, now_ms) : may_ask && feed->reliance.cuts ? ASK_COUNT : ASK_PLAIN;
    feed->progress.plans[reading->kind].sorted = reading->ask == ASK_HINT;
    switch (reading->ask) {
    case ASK_ORDER:
        progress_ask_order(&feed->progress, reading->kind);
        if (!feed->reliance.proven || feed->progress.keysets[reading->kind].check)
            pages_expect(&reading->pages);
        break;
    case ASK_COUNT:
        progress_ask_count(&feed->progress, reading->kind, is_long && feed->reliance.counted);
        pages_expect(&reading->pages);
        break;
    case ASK_HINT:
    case ASK_PLAIN: progress_ask_plain(&feed->progress, reading->kind); break;
    }
}

void order_refused(struct reading *reading, const struct err *err, int64_t now_ms)
{
    bool skips = reading->ask == ASK_ORDER && reading->pages.skip;

    pages_forget(&reading->pages);
    distrust_ask(reading, skips ? ASK_COUNT : reading->ask, err->text, now_ms);
}

void order_overfull(struct reading *reading, int64_t now_ms)
{
    const struct answer *answer = &reading->answer;

    if (reading->ask == ASK_ORDER && answer->counted >= 0 && answer->counted <= (int64_t)answer->stats.count)
        distrust_ask(reading, ASK_COUNT, "the service counts only what it sends", now_ms);
}

void order_miscounted(struct reading *reading, int64_t now_ms)
{
    distrust_ask(reading, ASK_COUNT, "the service counts records that it does not send", now_ms);
}

void order_interrupted(struct reading *reading)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];

    if (reading->pages.counted && keyset->whole)
        keyset_narrow(keyset, &reading->window);
}

void order_failed(struct reading *reading)
{
    progress_whole_failed(&reading->feed->progress, reading->kind, &reading->window);
}

/* Returns true if the window has more records than the page. */
static bool has_more(const struct reading *reading, const struct page_taken *page)
{
    bool has_link = page->link && *page->link;
    int64_t counted = reading->answer.counted;

    return pages_has_all_asked(page) || (counted < 0 ? has_link : counted > (int64_t)page->stats.count);
}

/* Returns why the count of a page cannot be trusted; NULL: it can, or none is needed to read in order. */
static const char *what_is_miscounted(const struct reading *reading, const struct page_taken *page)
{
    if (reading->answer.counted < 0 && reading->ask == ASK_ORDER && page->stats.count <= reading->feed->api->skips)
        return NULL; /* those of a part can be skipped */
    if (reading->answer.counted < 0)
        return "the service does not count the records that match";
    if (reading->answer.counted < (int64_t)page->stats.count)
        return "the service counts fewer records than it sends";
    return NULL;
}

/* Returns why the pages of a window that is counted cannot be read one after the other; NULL: they can. */
static const char *what_is_in_the_way(const struct reading *reading, const struct page_taken *page)
{
    if (!(page->link && *page->link) && !page->has_skip)
        return "the service does not link to the next page";
    return what_is_miscounted(reading, page);
}

/* Sets the cut, and how many records are before it. It is at a whole second, if that costs little: then a filter that is
 * no finer makes no difference. Returns false if the page settles nothing: all of it is of one time. */
static bool find_cut(const struct reading *reading, const struct page_taken *page, struct keyset_page *ret)
{
    const struct sequence *sequence = &reading->answer.sequence;
    const struct window *window = &reading->window;
    ticks second = api_floor(sequence->last, TICKS_PER_SECOND);
    ticks step = reading->feed->api->resolution(reading->variant);

    ret->cut = api_floor(sequence->last, step);
    ret->before = page->stats.count - (step > 1 ? sequence->in_second : sequence->ties);
    if (second > window->lo && sequence->in_second <= page->stats.count / COARSE_PART) {
        ret->cut = second;
        ret->before = page->stats.count - sequence->in_second;
    }
    return page->stats.count && !sequence->broken && !reading->answer.bad && ret->cut > window->lo &&
           ret->cut < window->hi;
}

/* What was read in order before this page is complete. */
static void part_is_read(struct reading *reading, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    const struct keyset *keyset = &feed->progress.keysets[reading->kind];
    struct window part = { keyset->from, keyset->at };

    feed->reliance.proven = true;
    progress_part_read(&feed->progress, reading->kind, outbox_end(feed->env->outbox), now_ms);
    if (!reading_is_partial(reading))
        progress_read_in_full(&feed->progress, &part, false);
}

/* Returns true if a record came twice: in place of another one, as far as a count tells. */
static bool repeats(const struct reading *reading)
{
    return reading->answer.sequence.repeats || pages_repeat(&reading->pages);
}

/* Returns true if what a request brought that skips the records of the part may not be all that comes after them. */
static bool is_cut_short(const struct reading *reading, const struct page_taken *page)
{
    const struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];

    return has_more(reading, page) || page->stats.count >= keyset->first || repeats(reading);
}

/* Takes the count of the part that its pages did not prove. */
static enum order_next take_check(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];
    const struct answer *answer = &reading->answer;
    size_t skip;
    bool skips = keyset_skips(keyset, &skip);
    int64_t counted = skips ? (int64_t)(skip + answer->stats.count) : answer->counted;
    bool sent = !skips && counted <= (int64_t)answer->stats.count; /* it may just be of this response */

    if (skips && reading->window.hi > keyset->at) {
        if (is_cut_short(reading, page)) {
            keyset_count_alone(keyset);
            return ORDER_MORE;
        }
        keyset_extend(keyset, reading->window.hi, answer->after);
    }
    if (keyset_is_counted(keyset, counted) && (!sent || keyset_counts_beyond(keyset)))
        part_is_read(reading, now_ms);
    else if (sent)
        distrust_ask(reading, ASK_COUNT, "the service counts only what it sends", now_ms);
    else if (!skips && counted == keyset->total && counted < (int64_t)keyset->seen)
        distrust_ask(reading, ASK_COUNT, "the service counts no further", now_ms);
    else if (counted < (int64_t)keyset->seen && !keyset_is_unproven(keyset))
        keyset_forget(keyset); /* some have been updated */
    else
        distrust_ask(reading, ASK_ORDER, "the service does not count as many records as it sent", now_ms);
    return ORDER_MORE;
}

/* Takes a page after others that are not proven yet. Returns true if the page was taken; false if it proves them, and is
 * now the first. */
static bool joins(struct reading *reading, const struct keyset_page *page, bool more, bool settles, int64_t now_ms)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];

    if (keyset_agrees(keyset, reading->answer.counted)) {
        part_is_read(reading, now_ms);
        return false;
    }
    if (settles)
        keyset_add(keyset, page);
    else
        keyset_count(keyset, !more);
    return true;
}

/* Returns true if the rest is more than the live worker should read before its next poll. */
static bool is_for_backfill(const struct reading *reading, const struct page_taken *page)
{
    const struct progress *progress = &reading->feed->progress;

    return windows_hand_over(&progress->cursor, reading->kind, &reading->window, progress->overlap_s,
                             reading_limit(reading)) &&
           (reading->answer.counted < 0 || reading->answer.counted > (int64_t)page->stats.count * (LIVE_PAGES + 1));
}

/* Returns why the order of a page cannot be trusted; NULL: it can. A filter that is coarser than it was asked to be brings
 * records again that were counted with the page before. */
static const char *what_is_out_of_order(const struct reading *reading, const struct page_taken *page)
{
    if (!page->stats.count)
        return "the service sends empty pages before others";
    if (reading->answer.sequence.broken)
        return "the records are not in ascending order of their update time";
    if (page->stats.oldest < reading->window.lo)
        return "the service's filter is coarser than it was asked to be";
    return NULL;
}

/* What the service does not keep, and why that is known; NULL: nothing is. */
struct fault {
    enum ask ask;
    const char *why;
};

static struct fault fault_of(const struct reading *reading, const struct page_taken *page)
{
    const char *why = what_is_miscounted(reading, page);

    return why ? (struct fault){ ASK_COUNT, why } : (struct fault){ ASK_ORDER, what_is_out_of_order(reading, page) };
}

/* Returns true if late records may still appear in the window: one that comes while another one is updated would hide
 * that the pages have shifted. */
static bool may_grow(const struct reading *reading)
{
    return reading->window.hi > ticks_back(reading->sent_at, reading->feed->input->overlap);
}

/* Returns true if the page may have been cut short: none of this service had more. A count that is higher than what comes
 * is right then; if it is not, a smaller window brings a smaller page that says the same. */
static bool may_be_cut(const struct reading *reading, const struct page_taken *page)
{
    return reading->answer.counted > (int64_t)page->stats.count && page->stats.count >= reading->feed->reliance.largest;
}

/* Takes the first page of a window that is counted. */
static enum order_next take_counted(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];
    const struct window *window = &reading->window;
    int64_t counted = reading->answer.counted, count = (int64_t)page->stats.count;
    int64_t most = count && count * PASS_PAGES < PASS_RECORDS ? count * PASS_PAGES : PASS_RECORDS;
    const char *wrong = what_is_in_the_way(reading, page);
    ticks span;

    if (!has_more(reading, page) || page->outside > OUTSIDE_FEW || counted == count) /* it may just be of the page */
        return ORDER_NONE;
    if (may_grow(reading))
        return count && counted > count ? ORDER_SPLIT : ORDER_NONE;
    if (wrong && may_be_cut(reading, page))
        return ORDER_SPLIT;
    if (wrong) {
        distrust_ask(reading, ASK_COUNT, wrong, now_ms);
        return ORDER_NONE;
    }
    if (counted <= most)
        return ORDER_FOLLOW;
    span = (ticks)((double)(window->hi - window->lo) * (double)most / 2 / (double)counted);
    keyset_limit(keyset, span);
    return keyset->whole && span > TICKS_PER_SECOND ? ORDER_MORE : ORDER_SPLIT;
}

/* Takes the first page of a query in order that is not in order. Its pages may be counted all the same. */
static enum order_next take_unordered(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    bool any_order = reading->answer.sequence.broken || !page->stats.count;

    return any_order && reading->pages.seen ? take_counted(reading, page, now_ms) : ORDER_NONE;
}

/* Takes a page of a query in order. */
static enum order_next take_ordered(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];
    struct keyset_page taken = { .lo = reading->window.lo,
                                 .counted = reading->answer.counted,
                                 .count = page->stats.count,
                                 .skips = reading->feed->api->skips,
                                 .sent_at = reading_limit(reading) };
    bool more = has_more(reading, page), settles = more && find_cut(reading, page, &taken);
    bool unfiltered = page->outside > OUTSIDE_FEW;
    struct fault fault = more && !unfiltered ? fault_of(reading, page) : (struct fault){ .why = NULL };
    enum order_next pass;

    if (keyset->check)
        return take_check(reading, page, now_ms);
    if (repeats(reading)) {
        distrust_all(reading, "the service sends a record twice in one page", now_ms);
        return ORDER_MORE;
    }
    if (fault.why)
        distrust_ask(reading, fault.ask, fault.why, now_ms);
    pass = fault.why && fault.ask == ASK_ORDER && !keyset->at ? take_unordered(reading, page, now_ms) : ORDER_NONE;
    if (pass != ORDER_NONE)
        return pass;
    if (fault.why && keyset->at) /* what was read in order before is read again */
        return ORDER_MORE;
    if (keyset->at && joins(reading, &taken, more, settles && !unfiltered, now_ms))
        return ORDER_MORE;
    if (!more || unfiltered || !page->stats.count) /* an empty page may link to one that is not */
        return ORDER_NONE;
    if (fault.why || !settles || is_for_backfill(reading, page))
        return taken.counted > (int64_t)page->stats.count ? ORDER_SPLIT : ORDER_NONE;
    keyset_add(keyset, &taken);
    return ORDER_MORE;
}

enum order_next order_take(struct reading *reading, const struct page_taken *page, int64_t now_ms)
{
    struct reliance *reliance = &reading->feed->reliance;

    reliance->counted |= reading->answer.counted >= 0;
    if (page->stats.count > reliance->largest)
        reliance->largest = page->stats.count;
    reliance->cuts |= may_be_cut(reading, page) && !pages_has_all_asked(page) && !(page->link && *page->link);
    if (reading->ask == ASK_COUNT && page->stats.count > 2)
        reliance->mixed = reading->answer.sequence.broken && page->stats.rises;
    if (reading->pages.chained)
        return ORDER_NONE;
    switch (reading->ask) {
    case ASK_ORDER: return take_ordered(reading, page, now_ms);
    case ASK_COUNT: return take_counted(reading, page, now_ms);
    case ASK_HINT:
        if (reading->answer.sequence.broken)
            reading->feed->reliance.hint_again_ms = now_ms + RELIANCE_AGAIN_MS;
        return ORDER_NONE;
    default: return ORDER_NONE;
    }
}

void order_hint(struct reading *reading, struct page_stats *stats, int64_t now_ms)
{
    const struct answer *answer = &reading->answer;
    struct reliance *reliance = &reading->feed->reliance;
    bool ascending = answer->stats.count && !answer->sequence.broken && answer->stats.oldest >= reading->window.lo;

    if (reading->ask == ASK_HINT && reliance->hinted == reading->window.lo)
        reliance->hint_again_ms = now_ms + RELIANCE_AGAIN_MS;
    if (!ascending || (reading->ask != ASK_ORDER && reading->ask != ASK_HINT) || now_ms < reliance->hint_again_ms)
        return;
    reliance->hinted = reading->window.lo;
    stats->oldest = stats->newest; /* as if all of the page were of its last time (state/windows.h) */
}

bool order_pass_failed(struct reading *reading, enum pages_next pages, const struct err *err, int64_t now_ms)
{
    struct keyset *keyset = &reading->feed->progress.keysets[reading->kind];
    bool unchanged = reading->answer.counted == reading->pages.counted;
    bool miscounts = pages == PAGES_UNPROVEN && unchanged && !pages_repeat(&reading->pages);
    bool may_do_better = reading->ask == ASK_ORDER && !reading->feed->reliance.mixed && !miscounts;

    if (may_do_better) /* without $orderby */
        return pages == PAGES_FAILED || pages == PAGES_UNPROVEN;
    if (pages == PAGES_FAILED)
        distrust_ask(reading, ASK_COUNT, err->text, now_ms);
    else if (pages == PAGES_UNPROVEN && (unchanged || keyset_is_unproven(keyset)))
        distrust_ask(reading, ASK_COUNT, "the pages do not hold as many records as the service counts", now_ms);
    else if (pages == PAGES_UNPROVEN && keyset->whole)
        keyset_narrow(keyset, &reading->window);
    else if (pages == PAGES_UNPROVEN)
        order_failed(reading);
    return pages == PAGES_FAILED || pages == PAGES_UNPROVEN;
}
