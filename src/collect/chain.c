/* Did a page hold all of its span? If not, the span is split; where it cannot be split, its pages are read one after
 * the other, again and again until the passes agree. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "collect/collector.h"
#include "collect/worker_private.h"
#include "net/url.h"

#define PAGE_CAP_LEAST      20         /* an answer that ends earlier was cut for another reason than its size */
#define CHAIN_PAGES_MAX  10000
#define CHAIN_ALIKE_MAX  3          /* pages with the same records, one after the other, before the chain is given up */
#define CHAIN_EMPTY_MAX  100        /* ... and empty ones, which may lead on to full ones */
#define CHAIN_PASSES_MAX 24
#define CHAIN_QUIET_MOST 5          /* so many quiet passes are enough for records that cannot be told apart */

void chain_forget(struct worker *worker)
{
    free(worker->link);
    worker->link = NULL;
    worker->chain = worker->unfiltered = false;
    worker->skip = worker->pages = worker->passes = worker->quiet = worker->kept_before = 0;
    worker->alike = 0;
    dedup_free(worker->seen);
    worker->seen = NULL;
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
static bool link_is_good(const struct worker *worker, const char *link, struct err *err)
{
    const struct tenant *t = worker->tenant;
    CLEANUP(mem_freep) char *host = url_host(link);

    if (!url_same_origin(link, t->base_url))
        return err_set(err, ERR_RETRY, "the next-page link leads to another host ('%s') and is not followed", host);
    if (text_same(link, worker->link))
        return err_set(err, ERR_RETRY, "the service gives the same next-page link again and again");
    if (worker->alike >= (worker->sum ? CHAIN_ALIKE_MAX : CHAIN_EMPTY_MAX))
        return err_set(err, ERR_RETRY, "the service gives the same page again and again");
    if (worker->pages >= CHAIN_PAGES_MAX)
        return err_set(err, ERR_RETRY, "the chain of next-page links does not end after %d pages", CHAIN_PAGES_MAX);
    return true;
}

/* Did the passes bring all of the span? One is not enough: its pages came one after the other while the set may have
 * changed. The last one must have held as many records as the one before and nothing new, and all passes together as
 * many different ones as it had, since a service that shuffles shows some twice and others never. */
static bool passes_agree(struct worker *worker)
{
    worker->quiet = worker->passes && !worker->fresh && worker->kept == worker->kept_before ? worker->quiet + 1 : 0;
    worker->kept_before = worker->kept;
    return worker->quiet && (dedup_count(worker->seen) >= worker->kept || worker->quiet >= CHAIN_QUIET_MOST);
}

static void pass_ends(struct worker *worker)
{
    struct err err;

    if (worker->pages == 1 || passes_agree(worker)) {
        worker_window_read(worker);
        return;
    }
    if (++worker->passes > CHAIN_PASSES_MAX) {
        err_set(&err, ERR_RETRY, "the alerts change faster than their pages can be read");
        worker_failed(worker, &err, false);
        return;
    }
    free(worker->link);
    worker->link = NULL;
    worker->skip = worker->pages = 0;
    worker->fresh = 0;
    worker_wake(worker, loop_now(worker->tenant->col->loop));
}

static void chain_goes_on(struct worker *worker, const char *link, bool full)
{
    struct err err;

    worker->chain = true;
    worker->pages++;
    worker->alike = worker->sum == worker->sum_before ? worker->alike + 1 : 1;
    worker->sum_before = worker->sum;
    if (!worker->seen)
        worker->seen = dedup_new();
    if (link && !link_is_good(worker, link, &err)) {
        worker_failed(worker, &err, false);
        return;
    }
    if (link) {
        char *next = mem_text(link);

        free(worker->link);
        worker->link = next;
    } else if (full && worker->tenant->api->has_skip) {
        worker->skip += worker->page_harvest.count;
    } else {
        pass_ends(worker);
        return;
    }
    worker_wake(worker, loop_now(worker->tenant->col->loop));
}

/* The service may end its answers earlier than asked: spans are made to fit that. */
static void learn_size(struct worker *worker, const char *link)
{
    size_t count = worker->page_harvest.count > PAGE_CAP_LEAST ? worker->page_harvest.count : PAGE_CAP_LEAST;

    if (link && worker->page_harvest.count && (!worker->page_cap || count > worker->page_cap))
        worker->page_cap = count;
    else if (!link && worker->page_cap && count > worker->page_cap)
        worker->page_cap = 0;
}

/* A whole page is here, all its records are written. Did it hold all of the span? */
void chain_page(struct worker *worker, const char *link)
{
    struct tenant *t = worker->tenant;
    bool full = link || (worker->top && worker->page_harvest.count >= worker->top);
    bool split = false;

    harvest_join(&worker->harvest, &worker->page_harvest);
    learn_size(worker, link);
    if (!worker->chain && !full) {
        worker_window_read(worker);
        return;
    }
    /* A record or two from outside the span were just updated; a page full of them says that the filter is ignored, so
     * that smaller spans would bring the same again. */
    if (!worker->chain && full && worker->outside > 10 && worker->outside * 2 > worker->page_harvest.count)
        worker->unfiltered = true;
    if (!worker->chain && worker->page_harvest.count && !worker->unfiltered)
        split = cursor_split(&t->cursor, worker->kind, t->plans, &worker->window, &worker->page_harvest,
                            t->api->resolution(worker->variant), t->input.overlap, worker->sent_at);
    if (!split) {
        chain_goes_on(worker, link, full);
        return;
    }
    worker_recovered(worker);
    worker_wake(worker, loop_now(t->col->loop));
    worker_wake(&t->workers[WORKER_BACKFILL], loop_now(t->col->loop));
}
