/* Writes the checkpoint as text; checkpoint.c reads it. */
#include "state/checkpoint.h"

#include "base/clock.h"
#include "base/text.h"

static void add_time(struct buf *ret, const char *name, ticks time, const char *after)
{
    char text[TICKS_TEXT_MAX];

    ticks_text(time, text);
    buf_add_char(ret, '"');
    buf_add_text(ret, name);
    buf_add_text(ret, "\": \"");
    buf_add_text(ret, text);
    buf_add_char(ret, '"');
    buf_add_text(ret, after);
}

struct selection {
    const struct cursor *cursor;
    bool (*needs)(const struct cursor *cursor, ticks time, int64_t overlap_s);
    const struct quarantine *quarantine;
    int64_t overlap_s;
    uint64_t pos;
    struct buf *ret;
    bool any;
};

static void add_entry(void *ctx, const struct dedup_entry *entry)
{
    struct selection *sel = ctx;
    char time[TICKS_TEXT_MAX];

    if (entry->pos > sel->pos ||
        (!sel->needs(sel->cursor, entry->time, sel->overlap_s) && !quarantine_reaches(sel->quarantine, entry->time)))
        return;
    ticks_text(entry->time, time);
    buf_add_format(sel->ret, "%s\n  \"%s %016llx%016llx\"", sel->any ? "," : "", time,
                   (unsigned long long)entry->key.high, (unsigned long long)entry->key.low);
    sel->any = true;
}

static void add_imported(const struct checkpoint *checkpoint, struct buf *ret)
{
    size_t i;

    if (!checkpoint->imported_count)
        return;
    buf_add_format(ret, " \"salt\": \"%s\",\n \"taken\": {", checkpoint->salt);
    for (i = 0; i < checkpoint->imported_count; i++)
        buf_add_format(ret, "%s\"%s\": \"%s\"", i ? ", " : "", checkpoint->imported[i].param,
                       checkpoint->imported[i].hash);
    buf_add_text(ret, "},\n");
}

static void add_list(struct selection *sel, const struct dedup *dedup)
{
    buf_add_text(sel->ret, "\"written\": [");
    sel->any = false;
    dedup_each(dedup, add_entry, sel);
    buf_add_text(sel->ret, "]}");
}

/* Adds the versions that were written in part, and from where on they have to be read again. */
static void add_partial(struct selection *sel, struct dedup *partial)
{
    if (!sel->cursor->partial_from)
        return;
    sel->needs = cursor_needs_part;
    buf_add_text(sel->ret, " \"partial\": {");
    add_time(sel->ret, "from", sel->cursor->partial_from, ", ");
    add_list(sel, partial);
    buf_add_text(sel->ret, ",\n");
    sel->needs = cursor_needs;
}

static void add_rate(const struct checkpoint *checkpoint, struct buf *ret)
{
    if (!checkpoint->rate.known)
        return;
    buf_add_format(ret, " \"rate\": {\"hour\": %.1f, ", checkpoint->rate.hour);
    add_time(ret, "at", checkpoint->rate.at, "},\n");
}

static void add_again(const struct checkpoint *checkpoint, struct buf *ret)
{
    if (!checkpoint->again.order && !checkpoint->again.count && !checkpoint->again.hint)
        return;
    buf_add_text(ret, " \"again\": {");
    add_time(ret, "order", checkpoint->again.order, ", ");
    add_time(ret, "count", checkpoint->again.count, ", ");
    add_time(ret, "hint", checkpoint->again.hint, "},\n");
}

static void add_quarantined(const struct quarantined *entry, struct buf *ret)
{
    buf_add_text(ret, "\n  {");
    add_time(ret, "from", entry->window.lo, ", ");
    add_time(ret, "to", entry->window.hi, ", ");
    add_time(ret, "since", entry->since_s * TICKS_PER_SECOND, ",\n   ");
    add_time(ret, "due", entry->due_s * TICKS_PER_SECOND, ", ");
    buf_add_format(ret, "\"tries\": %d, \"isolated\": %s}", entry->tries,
                   entry->search == SEARCH_LOGGED ? "true" : "false");
}

/* Adds the windows that are still to be read, or whose events splunkd may not have yet. */
static void add_quarantine(const struct quarantine *quarantine, uint64_t pos, struct buf *ret)
{
    bool any = false;
    size_t i;

    for (i = 0; i < quarantine->count; i++) {
        const struct quarantined *entry = &quarantine->list[i];

        if (entry->state == QUARANTINED_READ && entry->read_pos <= pos)
            continue;
        buf_add_text(ret, any ? "," : " \"quarantine\": [");
        add_quarantined(entry, ret);
        any = true;
    }
    if (any)
        buf_add_text(ret, "],\n");
}

static void add_own(const struct checkpoint *checkpoint, struct buf *ret)
{
    if (checkpoint->own_since) {
        buf_add_char(ret, ' ');
        add_time(ret, "own_since", checkpoint->own_since, ",\n");
    }
    if (checkpoint->own_until) {
        buf_add_char(ret, ' ');
        add_time(ret, "own_until", checkpoint->own_until, ",\n");
    }
}

void checkpoint_format(const struct checkpoint *checkpoint, const struct cursor *cursor,
                       const struct quarantine *quarantine, struct dedup *dedup, uint64_t pos, int64_t overlap_s,
                       struct buf *ret)
{
    struct selection sel = { cursor, cursor_needs, quarantine, overlap_s, pos, ret, false };
    struct cursor raised = *cursor;

    cursor_raise_floors(&raised, overlap_s);
    buf_add_format(ret, "{\"version\": %d,\n \"tenant_id\": ", CHECKPOINT_VERSION);
    buf_add_json(ret, checkpoint->tenant_id);
    if (checkpoint->tid) {
        buf_add_text(ret, ", \"tid\": ");
        buf_add_json(ret, checkpoint->tid);
    }
    buf_add_text(ret, ", \"api\": ");
    buf_add_json(ret, checkpoint->api);
    buf_add_text(ret, ",\n ");
    add_time(ret, "saved", ticks_from_ms(clock_wall_ms()), ",\n ");
    add_time(ret, "begin", cursor->begin, ",\n ");
    add_time(ret, "newest", cursor->watermark, ",\n ");
    add_time(ret, "floor", raised.dedup_floor, ",\n");
    if (cursor->backfill.active) {
        buf_add_text(ret, " \"backfill\": {");
        add_time(ret, "next", cursor->backfill.next, ", ");
        add_time(ret, "end", cursor->backfill.end, ",\n  ");
        add_time(ret, "newest", cursor->backfill.watermark, ", ");
        add_time(ret, "floor", raised.backfill.dedup_floor, "},\n");
    }
    if (checkpoint->worked) {
        buf_add_text(ret, " \"worked\": ");
        buf_add_json(ret, checkpoint->worked);
        buf_add_text(ret, ",\n");
    }
    if (checkpoint->lost) {
        buf_add_char(ret, ' ');
        add_time(ret, "lost", checkpoint->lost, ",\n");
    }
    add_own(checkpoint, ret);
    add_imported(checkpoint, ret);
    add_rate(checkpoint, ret);
    add_again(checkpoint, ret);
    if (checkpoint->has_ledger)
        buf_add_format(ret, " \"ledger\": %lld, \"ledger_id\": \"%016llx\",\n", (long long)checkpoint->ledger,
                       (unsigned long long)checkpoint->ledger_id);
    add_quarantine(quarantine, pos, ret);
    add_partial(&sel, dedup_partial(dedup));
    buf_add_text(ret, " ");
    add_list(&sel, dedup);
    buf_add_text(ret, "\n");
}
