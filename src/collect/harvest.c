#include "collect/harvest.h"

#include <stdio.h>

#include "collect/collector.h"
#include "collect/tenant.h"
#include "messages/log_events.h"

#define OUTSIDE_S 1     /* coarser filters let records this far outside of a span through */

static void count_time(struct worker *worker, ticks time)
{
    struct harvest *h = &worker->page_harvest;

    if (time < h->oldest)
        h->oldest = time;
    if (time > h->newest)
        h->newest = time;
    if (time < ticks_back(worker->window.lo, OUTSIDE_S) ||
        (worker->window.hi != TICKS_OPEN && time > ticks_ahead(worker->window.hi, OUTSIDE_S)))
        worker->outside++;
}

/* Before the first event of an answer: could the checkpoint that must follow be written? */
static bool may_write(struct worker *worker)
{
    struct err err;

    if (!worker->probed) {
        worker->probed = true;
        worker->held_back = !tenant_can_save(worker->tenant, &err);
        if (worker->held_back)
            snprintf(worker->held_why, sizeof(worker->held_why), "%s", err.text);
    }
    return !worker->held_back;
}

void harvest_record(void *ctx, struct buf *out, const struct page_record *record)
{
    struct worker *worker = ctx;
    struct tenant *t = worker->tenant;
    bool has_id = record->id && record->id_len, by_content = !t->api->shape.id;
    size_t undo = record->start - worker->handler.headroom;
    struct hash128 key;
    ticks time = record->has_time ? record->time : tenant_service_now(t);

    worker->page_harvest.count++;
    if (record->has_time) {
        count_time(worker, time);
        if (time < worker->window.lo) {     /* read before, or from before the input's beginning */
            out->len = undo;
            return;
        }
    }
    if (has_id && record->has_time && !by_content)
        key = dedup_key(record->id, record->id_len, time);
    else
        key = dedup_key(out->data + record->start, record->len, 0);
    worker->kept++;
    worker->sum += key.low ^ key.high * 3;
    if (worker->seen)
        dedup_add(worker->seen, (struct dedup_entry){ .key = key });
    if (dedup_has(t->dedup, key) || !may_write(worker)) {
        t->tally.repeats += !worker->held_back;
        out->len = undo;
        return;
    }
    if ((!has_id && !by_content) || !record->has_time)
        worker->malformed++;
    if (record->replaced)
        worker->replaced++;
    event_finish(t->frame, out, record->start, record->has_time, time);
    t->event_pos = outbox_end(t->col->outbox);
    dedup_add(t->dedup, (struct dedup_entry){ .key = key, .time = time, .pos = t->event_pos });
    if (record->has_time && time > t->newest_alert)
        t->newest_alert = time;
    t->tally.new_events++;
    worker->fresh++;
}

void harvest_bad(void *ctx, size_t ordinal, uint64_t offset, const char *why)
{
    struct worker *worker = ctx;
    struct tenant *t = worker->tenant;
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX];

    worker->page_harvest.count++;
    if (++worker->bad <= worker->bad_accepted || worker->bad_tries < WORKER_BAD_TRIES)
        return;
    ticks_text(worker->window.lo, lo);
    ticks_text(worker->window.hi == TICKS_OPEN ? worker->sent_at : worker->window.hi, hi);
    t->tally.bad_records++;
    log_event(EVENT_BAD_RECORD, "input=%s tenant=%s api=%s record=%zu offset=%llu from=%s to=%s a record is no JSON "
              "and is left behind: %s", t->label, t->input.tenant_id, t->api->name, ordinal,
              (unsigned long long)offset, lo, hi, why);
}

void harvest_warn(const struct worker *worker)
{
    const struct tenant *t = worker->tenant;

    if (worker->malformed)
        log_event(EVENT_ODD_RECORD, "input=%s tenant=%s api=%s records=%zu without an id or an update time, written "
                  "as they are and known by their content", t->label, t->input.tenant_id, t->api->name, worker->malformed);
    if (worker->replaced)
        log_event(EVENT_REPLACED, "input=%s tenant=%s api=%s records=%zu with broken UTF-8 or characters that XML "
                  "cannot carry, each now U+FFFD", t->label, t->input.tenant_id, t->api->name, worker->replaced);
}
