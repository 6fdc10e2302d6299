/* Did a page hold all of its span? If not, the span is split; where it cannot be split, its pages are read one after
 * the other, again and again until the passes agree. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "collect/collector.h"
#include "collect/lane_parts.h"

#define HOLDS_LEAST      20         /* an answer that ends earlier was cut for another reason than its size */
#define CHAIN_PAGES_MAX  10000
#define CHAIN_ALIKE_MAX  3          /* pages with the same records, one after the other, before the chain is given up */
#define CHAIN_EMPTY_MAX  100        /* ... and empty ones, which may lead on to full ones */
#define CHAIN_PASSES_MAX 24
#define CHAIN_QUIET_MOST 5          /* so many quiet passes are enough for records that cannot be told apart */

void chain_forget(struct lane *lane)
{
    free(lane->link);
    lane->link = NULL;
    lane->chain = lane->unfiltered = false;
    lane->skip = lane->pages = lane->passes = lane->quiet = lane->kept_before = 0;
    lane->alike = 0;
    dedup_free(lane->seen);
    lane->seen = NULL;
}

static void harvest_join(struct harvest *sum, const struct harvest *page)
{
    sum->count += page->count;
    if (page->oldest < sum->oldest)
        sum->oldest = page->oldest;
    if (page->newest > sum->newest)
        sum->newest = page->newest;
}

/* May this link be followed? The token goes nowhere but to the configured host. */
static bool link_is_good(const struct lane *lane, const char *link, struct err *err)
{
    const struct tenant *t = lane->tenant;
    CLEANUP(mem_freep) char *host = url_host(link);

    if (!url_same_origin(link, t->base_url))
        return err_set(err, ERR_RETRY, "the next-page link leads to another host ('%s') and is not followed", host);
    if (text_same(link, lane->link))
        return err_set(err, ERR_RETRY, "the service gives the same next-page link again and again");
    if (lane->alike >= (lane->sum ? CHAIN_ALIKE_MAX : CHAIN_EMPTY_MAX))
        return err_set(err, ERR_RETRY, "the service gives the same page again and again");
    if (lane->pages >= CHAIN_PAGES_MAX)
        return err_set(err, ERR_RETRY, "the chain of next-page links does not end after %d pages", CHAIN_PAGES_MAX);
    return true;
}

/* Did the passes bring all of the span? One is not enough: its pages came one after the other while the set may have
 * changed. The last one must have held as many records as the one before and nothing new, and all passes together as
 * many different ones as it had, since a service that shuffles shows some twice and others never. */
static bool passes_agree(struct lane *lane)
{
    lane->quiet = lane->passes && !lane->fresh && lane->kept == lane->kept_before ? lane->quiet + 1 : 0;
    lane->kept_before = lane->kept;
    return lane->quiet && (dedup_count(lane->seen) >= lane->kept || lane->quiet >= CHAIN_QUIET_MOST);
}

static void pass_ends(struct lane *lane)
{
    struct err err;

    if (lane->pages == 1 || passes_agree(lane)) {
        lane_window_read(lane);
        return;
    }
    if (++lane->passes > CHAIN_PASSES_MAX) {
        err_set(&err, ERR_RETRY, "the alerts change faster than their pages can be read");
        lane_failed(lane, &err, false);
        return;
    }
    free(lane->link);
    lane->link = NULL;
    lane->skip = lane->pages = 0;
    lane->fresh = 0;
    lane_wake(lane, loop_now(lane->tenant->col->loop));
}

static void chain_goes_on(struct lane *lane, const char *link, bool full)
{
    struct err err;

    lane->chain = true;
    lane->pages++;
    lane->alike = lane->sum == lane->sum_before ? lane->alike + 1 : 1;
    lane->sum_before = lane->sum;
    if (!lane->seen)
        lane->seen = dedup_new();
    if (link && !link_is_good(lane, link, &err)) {
        lane_failed(lane, &err, false);
        return;
    }
    if (link) {
        char *next = mem_text(link);

        free(lane->link);
        lane->link = next;
    } else if (full && lane->tenant->api->has_skip) {
        lane->skip += lane->page_harvest.count;
    } else {
        pass_ends(lane);
        return;
    }
    lane_wake(lane, loop_now(lane->tenant->col->loop));
}

/* The service may end its answers earlier than asked: spans are made to fit that. */
static void learn_size(struct lane *lane, const char *link)
{
    size_t count = lane->page_harvest.count > HOLDS_LEAST ? lane->page_harvest.count : HOLDS_LEAST;

    if (link && lane->page_harvest.count && (!lane->holds || count > lane->holds))
        lane->holds = count;
    else if (!link && lane->holds && count > lane->holds)
        lane->holds = 0;
}

/* A whole page is here, all its records are written. Did it hold all of the span? */
void chain_page(struct lane *lane, const char *link)
{
    struct tenant *t = lane->tenant;
    bool full = link || (lane->top && lane->page_harvest.count >= lane->top);
    bool split = false;

    harvest_join(&lane->harvest, &lane->page_harvest);
    learn_size(lane, link);
    if (!lane->chain && !full) {
        lane_window_read(lane);
        return;
    }
    /* A record or two from outside the span were just updated; a page full of them says that the filter is ignored, so
     * that smaller spans would bring the same again. */
    if (!lane->chain && full && lane->outside > 10 && lane->outside * 2 > lane->page_harvest.count)
        lane->unfiltered = true;
    if (!lane->chain && lane->page_harvest.count && !lane->unfiltered)
        split = cursor_split(&t->cursor, lane->kind, t->plans, &lane->window, &lane->page_harvest,
                            t->api->resolution(lane->form), t->input.overlap, lane->sent_at);
    if (!split) {
        chain_goes_on(lane, link, full);
        return;
    }
    lane_recovered(lane);
    lane_wake(lane, loop_now(t->col->loop));
    lane_wake(&t->lanes[LANE_FILL], loop_now(t->col->loop));
}
