#include "collect/distrust.h"

void distrust_ask(struct reading *reading, enum ask ask, const char *why, int64_t now_ms)
{
    struct feed *feed = reading->feed;
    struct reliance *reliance = &feed->reliance;
    bool uncounted = reading->ask == ASK_ORDER && reading->answer.stats.count && reading->answer.counted < 0;
    bool was_known = now_ms < reliance->order_again_ms && ask == ASK_COUNT;

    reliance->order_again_ms = now_ms + RELIANCE_AGAIN_MS;
    if (ask == ASK_COUNT || uncounted) {
        reliance->count_again_ms = now_ms + RELIANCE_AGAIN_MS;
        reliance->cuts = false;
    }
    if (ask != ASK_COUNT)
        reliance->hint_again_ms = now_ms + RELIANCE_AGAIN_MS;
    feed_log(feed, EVENT_ORDER, why, "for %d hours the service is not relied on for its %s",
             (int)(RELIANCE_AGAIN_MS / 3600000),
             ask != ASK_COUNT ? "order"
             : was_known      ? "count"
                              : "order and count");
}

void distrust_all(struct reading *reading, const char *why, int64_t now_ms)
{
    distrust_ask(reading, ASK_COUNT, why, now_ms);
    reading->feed->reliance.hint_again_ms = reading->feed->reliance.order_again_ms;
}
