#include "collect/worker_log.h"

#include "messages/log_events.h"

#define LOG_EVERY 10 /* failures in a row between two log lines */

/* Logs that a simpler query is used. It is said once: searches for the full one that fail change nothing. */
static void log_variant(const struct reading *reading, const struct next *next)
{
    const struct feed *feed = reading->feed;
    int variant = feed->variants[reading->kind].current;

    log_event(EVENT_FORM, "input=%s tenant=%s api=%s form=%d %s, a simpler query is tried%s", feed->label,
              feed->input->tenant_id, feed->api->name, variant, next->err.text,
              !api_is_partial(feed->api, variant)
                  ? ""
                  : "; it leaves out some of each alert, which is read again once the full query works");
}

/* Logs that the full query works again, and what it brings. */
static void log_full(const struct feed *feed, const struct next *next)
{
    char from[TICKS_TEXT_MAX];

    if (next->full_again)
        log_event(EVENT_FORM_FULL, "input=%s tenant=%s api=%s form=0 the full query works again", feed->label,
                  feed->input->tenant_id, feed->api->name);
    if (!next->again_from)
        return;
    ticks_text(next->again_from, from);
    log_event(EVENT_FORM_FULL,
              "input=%s tenant=%s api=%s form=0 from=%s the alerts since then that were written "
              "without all of their content are read again",
              feed->label, feed->input->tenant_id, feed->api->name, from);
}

void worker_log(const struct reading *reading, const struct next *next)
{
    const struct feed *feed = reading->feed;
    const char *tenant = feed->input->tenant_id, *api = feed->api->name;

    if (reading->kind == WORKER_QUARANTINE)
        return;
    switch (next->kind) {
    case NEXT_NOW:
    case NEXT_POLL:
        if (next->tries)
            log_event(EVENT_RECOVERED, "input=%s tenant=%s api=%s tries=%d requests succeed again", feed->label, tenant,
                      api, next->tries);
        if (next->backfill_done)
            log_event(EVENT_BACKFILL_DONE, "input=%s tenant=%s api=%s new=%llu", feed->label, tenant, api,
                      (unsigned long long)feed->tally.new_events);
        log_full(feed, next);
        return;
    case NEXT_RETRY:
        if (next->tries == 1 || next->tries % LOG_EVERY == 0)
            log_event(EVENT_TROUBLE, "input=%s tenant=%s api=%s tries=%d %s, retrying in %lld s", feed->label, tenant,
                      api, next->tries, next->err.text, (long long)(next->wait_ms + 999) / 1000);
        return;
    case NEXT_REFUSED:
        if (next->tries == 1)
            log_event(EVENT_REFUSED, "input=%s tenant=%s api=%s %s. Retrying in %lld minutes", feed->label, tenant, api,
                      next->err.text, (long long)next->wait_ms / 60000);
        return;
    case NEXT_VARIANT: log_variant(reading, next); return;
    case NEXT_THROTTLED:
    case NEXT_NEW_TOKEN: return;
    }
}
