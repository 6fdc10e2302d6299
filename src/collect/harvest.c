#include "collect/harvest.h"

#include <stdio.h>

#include "base/log.h"
#include "collect/collector.h"
#include "collect/tenant.h"

#define OUTSIDE_S 1     /* coarser filters let records this far outside of a span through */

static void count_time(struct lane *lane, ticks time)
{
    struct harvest *h = &lane->page_harvest;

    if (time < h->oldest)
        h->oldest = time;
    if (time > h->newest)
        h->newest = time;
    if (time < ticks_back(lane->window.lo, OUTSIDE_S) ||
        (lane->window.hi != TICKS_OPEN && time > ticks_ahead(lane->window.hi, OUTSIDE_S)))
        lane->outside++;
}

/* Before the first event of an answer: could the checkpoint that must follow be written? */
static bool may_write(struct lane *lane)
{
    struct err err;

    if (!lane->probed) {
        lane->probed = true;
        lane->held_back = !tenant_can_save(lane->tenant, &err);
        if (lane->held_back)
            snprintf(lane->held_why, sizeof(lane->held_why), "%s", err.text);
    }
    return !lane->held_back;
}

void harvest_record(void *ctx, struct buf *out, const struct page_record *record)
{
    struct lane *lane = ctx;
    struct tenant *t = lane->tenant;
    bool has_id = record->id && record->id_len, by_content = !t->api->shape.id;
    size_t undo = record->start - lane->handler.headroom;
    struct hash128 key;
    ticks time = record->has_time ? record->time : tenant_service_now(t);

    lane->page_harvest.count++;
    lane->stale = lane->stale && record->has_time;
    if (record->has_time) {
        count_time(lane, time);
        if (time < lane->window.lo) {     /* read before, or from before the input's beginning */
            out->len = undo;
            return;
        }
    }
    if (has_id && record->has_time && !by_content)
        key = dedup_key(record->id, record->id_len, time);
    else
        key = dedup_key(out->data + record->start, record->len, 0);
    lane->kept++;
    lane->sum += key.low ^ key.high * 3;
    if (lane->seen)
        dedup_add(lane->seen, (struct dedup_entry){ .key = key });
    if (dedup_has(t->dedup, key) || !may_write(lane)) {
        t->tally.repeats += !lane->held_back;
        out->len = undo;
        return;
    }
    lane->stale = false;
    if ((!has_id && !by_content) || !record->has_time)
        lane->odd++;
    if (record->replaced)
        lane->replaced++;
    event_finish(t->frame, out, record->start, record->has_time, time);
    t->event_pos = outbox_end(t->col->outbox);
    dedup_add(t->dedup, (struct dedup_entry){ .key = key, .time = time, .pos = t->event_pos });
    if (record->has_time && time > t->newest_alert)
        t->newest_alert = time;
    t->tally.new_events++;
    lane->fresh++;
}

void harvest_bad(void *ctx, size_t ordinal, uint64_t offset, const char *why)
{
    struct lane *lane = ctx;
    struct tenant *t = lane->tenant;
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX];

    lane->stale = false;
    lane->page_harvest.count++;
    if (++lane->bad <= lane->bad_accepted || lane->bad_tries < LANE_BAD_TRIES)
        return;
    ticks_text(lane->window.lo, lo);
    ticks_text(lane->window.hi == TICKS_OPEN ? lane->sent_at : lane->window.hi, hi);
    t->tally.bad_records++;
    log_event(EVENT_BAD_RECORD, "input=%s tenant=%s api=%s record=%zu offset=%llu from=%s to=%s a record is no JSON "
              "and is left behind: %s", t->label, t->input.tenant_id, t->api->name, ordinal,
              (unsigned long long)offset, lo, hi, why);
}

void harvest_warn(const struct lane *lane)
{
    const struct tenant *t = lane->tenant;

    if (lane->odd)
        log_event(EVENT_ODD_RECORD, "input=%s tenant=%s api=%s records=%zu without an id or an update time, written "
                  "as they are and known by their content", t->label, t->input.tenant_id, t->api->name, lane->odd);
    if (lane->replaced)
        log_event(EVENT_REPLACED, "input=%s tenant=%s api=%s records=%zu with broken UTF-8 or characters that XML "
                  "cannot carry, each now U+FFFD", t->label, t->input.tenant_id, t->api->name, lane->replaced);
}
