#include "collect/pages.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

#define PAGES_MOST  10000
#define SAME_MOST   3   /* pages with the same records in a row before the links are given up */
#define EMPTY_MOST  100 /* ... and empty pages, which may lead on to full ones */
#define PASSES_MOST 24
#define QUIET_MOST  5  /* this many quiet passes are enough for records that cannot be told apart */
#define OUTSIDE_FEW 10 /* records outside of the window that were just updated meanwhile */

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

static bool has_link(const struct page_taken *page)
{
    return page->link && *page->link;
}

/* Returns the address that the page's link leads to; NULL, with a reason, if it may not be followed. The caller frees
 * it. */
static char *next_url(const struct pages *pages, const struct page_taken *page, struct err *err)
{
    CLEANUP(mem_freep) char *url = url_resolve(page->url, page->link);
    CLEANUP(mem_freep) char *host = url_host(url);
    char *ret = NULL;

    if (!url)
        err_set(err, ERR_RETRY, "the next-page link is not an address and is not followed");
    else if (!url_same_origin(url, page->base_url))
        err_set(err, ERR_RETRY, "the next-page link leads to another host ('%s') and is not followed", host);
    else if (text_same(url, pages->link))
        err_set(err, ERR_RETRY, "the service gives the same next-page link again and again");
    else if (pages->same >= (pages->sum ? SAME_MOST : EMPTY_MOST))
        err_set(err, ERR_RETRY, "the service gives the same page again and again");
    else if (pages->count >= PAGES_MOST)
        err_set(err, ERR_RETRY, "the chain of next-page links does not end after %d pages", PAGES_MOST);
    else {
        ret = url;
        url = NULL;
    }
    return ret;
}

/* Returns true if the passes brought all of the window. One pass is not enough: its pages came one after the other
 * while the set may have changed. The last pass must have held as many records as the one before and nothing new.
 * All passes together must have held as many different records as it, since a service that shuffles shows some twice
 * and others never. */
static bool passes_agree(struct pages *pages)
{
    bool same = pages->passes && !pages->fresh && pages->kept == pages->kept_before;

    pages->quiet = same ? pages->quiet + 1 : 0;
    pages->kept_before = pages->kept;
    return pages->quiet && (dedup_count(pages->seen) >= pages->kept || pages->quiet >= QUIET_MOST);
}

static enum pages_next another_pass(struct pages *pages, struct err *err)
{
    if (++pages->passes > PASSES_MOST) {
        err_set(err, ERR_RETRY, "the alerts change faster than their pages can be read");
        return PAGES_FAILED;
    }
    free(pages->link);
    pages->link = NULL;
    pages->skip = pages->count = pages->filled = pages->fresh = 0;
    return PAGES_MORE;
}

/* Returns true if the pass brought as many records as the service counts, each once. They are all that there were at the
 * first page, unless others came meanwhile in place of some; and none of them is twice there. */
static bool is_counted(const struct pages *pages, const struct page_taken *page)
{
    size_t counted = (size_t)pages->counted;

    return (page->counted < 0 || page->counted == pages->counted) && pages->stats.count == counted &&
           pages->kept == counted && dedup_count(pages->seen) == counted;
}

bool pages_has_all_asked(const struct page_taken *page)
{
    return page->top && page->stats.count >= page->top;
}

static enum pages_next pass_ends(struct pages *pages, const struct page_taken *page, struct err *err)
{
    if (pages->counted)
        return is_counted(pages, page) ? PAGES_COMPLETE : PAGES_UNPROVEN;
    if (pages->count == 1)
        return pages_has_all_asked(page) ? PAGES_LARGER : PAGES_COMPLETE;
    return passes_agree(pages) ? PAGES_COMPLETE : another_pass(pages, err);
}

static void count_page(struct pages *pages)
{
    pages->chained = true;
    pages->count++;
    pages->same = pages->sum == pages->sum_before ? pages->same + 1 : 1;
    pages->sum_before = pages->sum;
}

static void go_to(struct pages *pages, char *url)
{
    free(pages->link);
    pages->link = url;
}

void pages_expect(struct pages *pages)
{
    if (!pages->seen)
        pages->seen = dedup_new();
}

bool pages_repeat(const struct pages *pages)
{
    return pages->seen && dedup_count(pages->seen) < pages->kept;
}

void pages_restart(struct pages *pages)
{
    pages_forget(pages);
    pages->chained = pages->whole = true;
}

/* Returns true if the page has as many records as the service puts into one, although more were asked for. */
static bool is_capped(const struct page_taken *page)
{
    return page->cap && page->stats.count >= page->cap;
}

/* Returns true if more records were counted than came so far, and the page brought some. */
static bool is_short(const struct pages *pages, const struct page_taken *page)
{
    return page->stats.count && (int64_t)pages->stats.count < pages->counted;
}

enum pages_next pages_follow(struct pages *pages, const struct page_taken *page, struct err *err)
{
    char *url;

    if (!pages->whole)
        pages->passes = 0;
    pages->whole = true;
    count_page(pages);
    pages_expect(pages);
    if (pages->counted && ((int64_t)pages->stats.count > pages->counted || pages_repeat(pages)))
        return PAGES_UNPROVEN;
    if (has_link(page)) {
        url = next_url(pages, page, err);
        if (!url)
            return PAGES_FAILED;
        go_to(pages, url);
        return PAGES_MORE;
    }
    if (page->has_skip && (pages_has_all_asked(page) || is_capped(page) || is_short(pages, page))) {
        pages->skip += page->stats.count;
        return PAGES_MORE;
    }
    return pass_ends(pages, page, err);
}

enum pages_next pages_take_counted(struct pages *pages, const struct page_taken *page, struct err *err)
{
    add_stats(&pages->stats, &page->stats);
    pages->counted = page->counted;
    return pages_follow(pages, page, err);
}

/* Returns true if more records are to be expected after the page, and can be had. */
static bool is_full(const struct page_taken *page)
{
    return pages_has_all_asked(page) || ((has_link(page) || page->has_skip) && is_capped(page));
}

bool pages_unfiltered(const struct page_taken *page)
{
    return (has_link(page) || pages_has_all_asked(page)) && page->outside > OUTSIDE_FEW &&
           page->outside * 2 > page->stats.count;
}

/* Follows the link of a page that is not full. If it may not be followed, smaller windows may do without it. */
static enum pages_next look_further(struct pages *pages, const struct page_taken *page, struct err *err)
{
    char *url = next_url(pages, page, err);

    if (!url)
        return page->stats.count ? PAGES_OVERFULL : PAGES_FAILED;
    count_page(pages);
    go_to(pages, url);
    return PAGES_MORE;
}

/* Decides after the last page of a window of which at most one page had records. */
static enum pages_next one_page_held_all(struct pages *pages, const struct page_taken *page, struct err *err)
{
    bool alone = !pages->count;

    if (alone || page->open || !pages->filled)
        return PAGES_COMPLETE;
    pages->expected = pages->held_sum;
    return another_pass(pages, err);
}

enum pages_next pages_take(struct pages *pages, const struct page_taken *page, struct err *err)
{
    add_stats(&pages->stats, &page->stats);
    if (pages->whole)
        return pages_follow(pages, page, err);
    if (!pages->filled && pages_unfiltered(page))
        return PAGES_UNFILTERED;
    if (page->stats.count) {
        if (pages->expected && pages->sum == pages->expected)
            return PAGES_COMPLETE; /* it has not changed: the pages after it were really empty */
        if (!pages->filled++) {
            pages->held = page->stats;
            pages->held_sum = pages->sum;
        }
        if (pages->filled > 1 || is_full(page))
            return PAGES_OVERFULL;
    }
    return has_link(page) ? look_further(pages, page, err) : one_page_held_all(pages, page, err);
}
