#include "collect/records.h"

#include <stdio.h>

static void count_time(struct reading *reading, ticks time)
{
    struct page_stats *stats = &reading->answer.stats;
    const struct window *window = &reading->window;

    stats->oldest = ticks_min(stats->oldest, time);
    stats->newest = ticks_max(stats->newest, time);
    if (time < ticks_back(window->lo, CURSOR_COARSE_S) ||
        (window->hi != TICKS_OPEN && time > ticks_ahead(window->hi, CURSOR_COARSE_S)))
        reading->answer.outside++;
}

/* Returns true if a record with this time may be new. Outside of the window, where a coarse filter may bring it
 * from, the dedup set must reach that far: the cursor's part of it, or what is kept around quarantined windows. */
static bool may_be_new(const struct reading *reading, ticks time)
{
    const struct progress *progress = &reading->feed->progress;
    bool inside = time >= reading->window.lo && time < reading->window.hi;

    return time >= progress->cursor.begin &&
           (inside || cursor_knows(&progress->cursor, time) || quarantine_reaches(&progress->quarantine, time));
}

/* Returns the time under which a record without one is remembered: no watermark is later than that. Seen again, it is
 * renewed, so a record is known for as long as it keeps coming. */
static ticks present(const struct feed *feed)
{
    return ticks_max(feed_service_now(feed), feed->progress.cursor.watermark);
}

static bool is_in(struct dedup *dedup, const struct feed *feed, const struct page_record *record, struct hash128 key)
{
    return record->has_time ? dedup_has(dedup, key) : dedup_renew(dedup, key, present(feed));
}

/* Returns true if events may be written. Before the first event of a response, the store is asked whether it could save
 * the checkpoint that must follow. */
static bool may_write(struct reading *reading)
{
    struct answer *answer = &reading->answer;
    struct feed *feed = reading->feed;
    struct err err;

    if (!answer->probed) {
        answer->probed = true;
        answer->held_back = !feed->owner->writable(feed->ctx, &err);
        if (answer->held_back)
            snprintf(answer->held_why, sizeof(answer->held_why), "%s", err.text);
    }
    return !answer->held_back;
}

static bool has_id(const struct page_record *record)
{
    return record->id && record->id_len;
}

/* Returns what a version is recognized by: its ID and update time, or all of its content. */
static struct hash128 key_of(const struct reading *reading, const struct buf *out, const struct page_record *record)
{
    if (reading->feed->api->shape.id && has_id(record) && record->has_time)
        return dedup_key(record->id, record->id_len, record->time);
    return dedup_key(out->data + record->start, record->len, 0);
}

/* Returns true if this version has been written. With a query that leaves something out, it is enough that it was
 * written in part; what is not written in full by then is remembered, since it has to be read again. */
static bool is_written(struct reading *reading, const struct page_record *record, struct hash128 key)
{
    struct feed *feed = reading->feed;
    struct progress *progress = &feed->progress;

    if (is_in(progress->dedup, feed, record, key))
        return true;
    if (!reading_is_partial(reading))
        return false;
    cursor_has_part(&progress->cursor, record->has_time ? record->time : reading->window.lo);
    return is_in(dedup_partial(progress->dedup), feed, record, key);
}

static void write_event(struct reading *reading, struct buf *out, const struct page_record *record, struct hash128 key)
{
    struct feed *feed = reading->feed;
    ticks time = record->has_time ? record->time : present(feed);

    if ((feed->api->shape.id && !has_id(record)) || !record->has_time)
        reading->answer.malformed++;
    if (record->replaced)
        reading->answer.replaced++;
    event_finish(feed->frame, out, record->start, record->has_time, time);
    feed->event_pos = outbox_end(feed->env->outbox);
    dedup_add(reading_is_partial(reading) ? dedup_partial(feed->progress.dedup) : feed->progress.dedup,
              (struct dedup_entry){ .key = key, .time = time, .pos = feed->event_pos });
    if (record->has_time)
        feed->newest_alert = ticks_max(feed->newest_alert, time);
    feed->tally.new_events++;
    reading->pages.fresh++;
}

static void take_record(void *ctx, struct buf *out, const struct page_record *record)
{
    struct reading *reading = ctx;
    struct feed *feed = reading->feed;
    size_t undo = record->start - event_frame_headroom(feed->frame);
    struct hash128 key;

    reading->answer.stats.count++;
    if (record->has_time)
        count_time(reading, record->time);
    if (record->has_time && !may_be_new(reading, record->time)) {
        out->len = undo;
        return;
    }
    key = key_of(reading, out, record);
    reading->pages.kept++;
    reading->pages.sum += key.low ^ key.high * 3;
    if (reading->pages.seen)
        dedup_add(reading->pages.seen, (struct dedup_entry){ .key = key });
    if (is_written(reading, record, key) || !may_write(reading)) {
        feed->tally.repeats += !reading->answer.held_back;
        out->len = undo;
        return;
    }
    write_event(reading, out, record, key);
}

static void take_bad(void *ctx, size_t ordinal, uint64_t offset, const char *why)
{
    struct reading *reading = ctx;
    struct feed *feed = reading->feed;
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX];

    reading->answer.stats.count++;
    if (++reading->answer.bad <= reading->unreadable.accepted || reading->unreadable.tries < READING_BAD_TRIES)
        return;
    ticks_text(reading->window.lo, lo);
    ticks_text(reading_window_end(reading), hi);
    feed->tally.bad_records++;
    feed_log(feed, EVENT_BAD_RECORD, why, "record=%zu offset=%llu from=%s to=%s a record cannot be read and is skipped",
             ordinal, (unsigned long long)offset, lo, hi);
}

struct page_handler records_handler(struct reading *reading)
{
    return (struct page_handler){ .record = take_record,
                                  .bad = take_bad,
                                  .ctx = reading,
                                  .headroom = event_frame_headroom(reading->feed->frame),
                                  .budget = http_budget(reading->feed->env->http) };
}

void records_warn(const struct reading *reading)
{
    const struct feed *feed = reading->feed;

    if (reading->answer.malformed)
        feed_log(feed, EVENT_ODD_RECORD, NULL,
                 "records=%zu without an ID or an update time; they were written and are recognized by their content",
                 reading->answer.malformed);
    if (reading->answer.replaced)
        feed_log(feed, EVENT_REPLACED, NULL,
                 "records=%zu with broken UTF-8 or characters that XML cannot carry; each is now U+FFFD",
                 reading->answer.replaced);
}
