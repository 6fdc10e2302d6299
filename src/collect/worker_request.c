#include "collect/worker_request.h"

void worker_request_prepare(struct reading *reading, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    ticks now = feed_service_now(feed);

    if (!reading->pages.chained)
        progress_next(&feed->progress, reading->kind, now, &reading->window);
    if (!reading->pages.count) {    /* the pages of a pass count as of its first, and belong to the same query */
        reading->sent_at = now;
        reading->variant = variant_choose(reading_variant(reading), now_ms);
    }
    pages_begin(&reading->pages);
    reading->answer = (struct answer){ .stats = page_stats_none(),
                                       .top = page_size_top(&reading->page_size, reading_page_most(reading)) };
}

void worker_request_url(struct reading *reading, struct buf *url)
{
    const struct feed *feed = reading->feed;

    if (reading->pages.link) {
        buf_add_text(url, reading->pages.link);
        return;
    }
    reading->answer.top = feed->api->url(&(struct api_query){
        .base = feed->base_url, .lo = reading->window.lo, .hi = reading->window.hi, .top = reading->answer.top,
        .skip = reading->pages.skip, .variant = reading->variant, .filter = feed->input->filter }, url);
}
