#include "collect/pages.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

#define PAGES_MOST     10000
#define SAME_MOST      3        /* pages with the same records in a row before the links are given up */
#define EMPTY_MOST     100      /* ... and empty pages, which may lead on to full ones */
#define PASSES_MOST    24
#define QUIET_MOST     5        /* this many quiet passes are enough for records that cannot be told apart */
#define OUTSIDE_FEW    10       /* records outside of the window that were just updated meanwhile */

void pages_begin(struct pages *pages)
{
    if (!pages->chained)
        pages->fresh = 0;
    if (!pages->count) {
        pages->stats = page_stats_none();
        pages->kept = 0;
    }
    pages->sum = 0;
}

void pages_forget(struct pages *pages)
{
    free(pages->link);
    dedup_free(pages->seen);
    *pages = (struct pages){ .stats = page_stats_none() };
}

static void add_stats(struct page_stats *sum, const struct page_stats *page)
{
    sum->count += page->count;
    sum->oldest = ticks_min(sum->oldest, page->oldest);
    sum->newest = ticks_max(sum->newest, page->newest);
}

/* Returns true if this link may be followed. */
static bool link_is_good(const struct pages *pages, const struct page_taken *page, struct err *err)
{
    CLEANUP(mem_freep) char *host = url_host(page->link);

    if (!url_same_origin(page->link, page->base_url))
        return err_set(err, ERR_RETRY, "the next-page link leads to another host ('%s') and is not followed", host);
    if (text_same(page->link, pages->link))
        return err_set(err, ERR_RETRY, "the service gives the same next-page link again and again");
    if (pages->same >= (pages->sum ? SAME_MOST : EMPTY_MOST))
        return err_set(err, ERR_RETRY, "the service gives the same page again and again");
    if (pages->count >= PAGES_MOST)
        return err_set(err, ERR_RETRY, "the chain of next-page links does not end after %d pages", PAGES_MOST);
    return true;
}

/* Returns true if the passes brought all of the window. One pass is not enough: its pages came one after the other while
 * the set may have changed. The last pass must have held as many records as the one before and nothing new. All passes
 * together must have held as many different records as it, since a service that shuffles shows some twice and others
 * never. */
static bool passes_agree(struct pages *pages)
{
    bool same = pages->passes && !pages->fresh && pages->kept == pages->kept_before;

    pages->quiet = same ? pages->quiet + 1 : 0;
    pages->kept_before = pages->kept;
    return pages->quiet && (dedup_count(pages->seen) >= pages->kept || pages->quiet >= QUIET_MOST);
}

static enum pages_next pass_ends(struct pages *pages, struct err *err)
{
    if (pages->count == 1 || passes_agree(pages))
        return PAGES_COMPLETE;
    if (++pages->passes > PASSES_MOST) {
        err_set(err, ERR_RETRY, "the alerts change faster than their pages can be read");
        return PAGES_FAILED;
    }
    free(pages->link);
    pages->link = NULL;
    pages->skip = pages->count = pages->fresh = 0;
    return PAGES_MORE;
}

static bool is_full(const struct page_taken *page)
{
    return page->link || (page->top && page->stats.count >= page->top);
}

enum pages_next pages_follow(struct pages *pages, const struct page_taken *page, struct err *err)
{
    char *next;

    pages->chained = true;
    pages->count++;
    pages->same = pages->sum == pages->sum_before ? pages->same + 1 : 1;
    pages->sum_before = pages->sum;
    if (!pages->seen)
        pages->seen = dedup_new();
    if (page->link) {
        if (!link_is_good(pages, page, err))
            return PAGES_FAILED;
        next = mem_text(page->link);
        free(pages->link);
        pages->link = next;
        return PAGES_MORE;
    }
    if (is_full(page) && page->has_skip) {
        pages->skip += page->stats.count;
        return PAGES_MORE;
    }
    return pass_ends(pages, err);
}

enum pages_next pages_take(struct pages *pages, const struct page_taken *page, struct err *err)
{
    add_stats(&pages->stats, &page->stats);
    if (pages->chained)
        return pages_follow(pages, page, err);
    if (!is_full(page))
        return PAGES_COMPLETE;
    /* A page full of records from outside of the window means that the filter is ignored: smaller windows would bring
     * the same page again. */
    pages->unfiltered = page->outside > OUTSIDE_FEW && page->outside * 2 > page->stats.count;
    if (pages->unfiltered || !page->stats.count)
        return pages_follow(pages, page, err);
    return PAGES_OVERFULL;
}
