#include "collect/records.h"

#include <stdio.h>
#include <string.h>

#include "collect/unreadable.h"

#define BAD_ID_MAX    200 /* bytes of the ID of a bad record in a log line */
#define SELECTED_MOST 300 /* bytes besides its ID that a record with only an update time has, annotations included */

/* Returns true if both times are of one second. */
static bool same_second(ticks a, ticks b)
{
    return api_floor(a, TICKS_PER_SECOND) == api_floor(b, TICKS_PER_SECOND);
}

static void follow_sequence(struct sequence *sequence, ticks time)
{
    bool first = !sequence->ties;

    sequence->broken |= !first && time < sequence->last;
    sequence->in_second = !first && same_second(time, sequence->last) ? sequence->in_second + 1 : 1;
    sequence->ties = !first && time == sequence->last ? sequence->ties + 1 : 1;
    sequence->last = time;
}

static void count_time(struct reading *reading, ticks time)
{
    struct page_stats *stats = &reading->answer.stats;
    const struct window *window = &reading->window;

    stats->rises |= stats->oldest <= stats->newest && time > reading->answer.sequence.last;
    reading->answer.after += time >= reading->answer.split;
    follow_sequence(&reading->answer.sequence, time);
    stats->oldest = ticks_min(stats->oldest, time);
    stats->newest = ticks_max(stats->newest, time);
    if (time < ticks_back(window->lo, CURSOR_COARSE_S) ||
        (window->hi != TICKS_OPEN && time > ticks_ahead(window->hi, CURSOR_COARSE_S)))
        reading->answer.outside++;
}

/* Returns true if a record with this time may be new. Outside of the window, where a coarse filter may bring it
 * from, the dedup set must reach that far: the cursor's part of it, or what is kept around quarantined windows. So it
 * must for a probe, which may ask for a record that was written long ago. */
static bool may_be_new(const struct reading *reading, ticks time)
{
    const struct progress *progress = &reading->feed->progress;
    bool probe = reading->suspicion.state == SUSPICION_PROBE;
    bool inside = !probe && time >= reading->window.lo && time < reading->window.hi;

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

    if (!feed_may_read(feed))
        answer->held_back = answer->elsewhere = true;
    if (!answer->probed && !answer->held_back) {
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

/* Returns true for a time that the dedup set does not reach any more. It is read again if a quarantined record of that
 * time was written in part. */
static bool is_forgotten(const struct reading *reading, const struct page_record *record)
{
    const struct progress *progress = &reading->feed->progress;

    return record->has_time && reading->kind != WORKER_QUARANTINE && !cursor_knows(&progress->cursor, record->time) &&
           !quarantine_reaches(&progress->quarantine, record->time);
}

/* Returns true if this version has been written. With a query that leaves something out, it is enough that it was
 * written in part; what is not written in full by then is remembered, since it has to be read again. */
static bool is_written(struct reading *reading, const struct page_record *record, struct hash128 key)
{
    struct feed *feed = reading->feed;
    struct progress *progress = &feed->progress;
    bool in_part;

    if (is_in(progress->dedup, feed, record, key))
        return true;
    in_part = is_in(dedup_partial(progress->dedup), feed, record, key);
    if (!in_part && is_forgotten(reading, record))
        return true;
    if (!reading_is_partial(reading))
        return false;
    cursor_has_part(&progress->cursor, record->has_time ? record->time : reading->window.lo);
    return in_part;
}

/* Appends the text that was escaped for XML. */
static void add_plain(struct buf *ret, const char *text, size_t len)
{
    static const struct {
        const char *escape;
        size_t len;
        char c;
    } escapes[] = { { "&amp;", 5, '&' }, { "&lt;", 4, '<' }, { "&gt;", 4, '>' } };
    const char *end = text + len, *at;
    size_t i;

    for (; (at = memchr(text, '&', (size_t)(end - text))); text = at) {
        buf_add(ret, text, (size_t)(at - text));
        for (i = 0; i < COUNT_OF(escapes); i++)
            if ((size_t)(end - at) >= escapes[i].len && !memcmp(at, escapes[i].escape, escapes[i].len))
                break;
        buf_add_char(ret, i < COUNT_OF(escapes) ? escapes[i].c : '&');
        at += i < COUNT_OF(escapes) ? escapes[i].len : 1;
    }
    buf_add(ret, text, (size_t)(end - text));
}

/* Returns the ID as Splunk has it, and sets *len. It is in the record, or in *plain. */
static const char *plain_id(const struct page_record *record, struct buf *plain, size_t *len)
{
    *len = record->id_len;
    if (!memchr(record->id, '&', record->id_len))
        return record->id;
    add_plain(plain, record->id, record->id_len);
    *len = plain->len;
    return buf_text(plain);
}

/* Returns the length of the text without its escapes for XML: what Splunk has, and what its license counts. */
static size_t plain_length(const char *text, size_t len)
{
    const char *end = text + len, *at = text;
    size_t plain = len;

    while ((at = memchr(at, '&', (size_t)(end - at)))) {
        const char *semicolon = memchr(at, ';', (size_t)(end - at)); /* "&amp;", "&lt;" or "&gt;" */

        if (!semicolon)
            break;
        plain -= (size_t)(semicolon - at);
        at = semicolon;
    }
    return plain;
}

/* Returns the version's key in the ledger, of the text that Splunk has of its ID and update time; 0: it has none. To be
 * called before something is appended to the record, which may move it. */
static uint64_t ledger_key_of(const struct feed *feed, const struct page_record *record)
{
    CLEANUP(buf_free) struct buf plain = BUF_INIT(PAGE_RECORD_MAX);
    const char *id;
    size_t len;

    if (!feed->ledger || !has_id(record) || !record->has_time)
        return 0;
    id = plain_id(record, &plain, &len);
    return ledger_key(id, len, record->time_text, record->time_len);
}

static void write_event(struct reading *reading, struct buf *out, const struct page_record *record, struct hash128 key)
{
    struct feed *feed = reading_home(reading);
    ticks time = record->has_time ? record->time : present(feed);
    uint64_t version = ledger_key_of(feed, record);

    if ((feed->api->shape.id && !has_id(record)) || !record->has_time)
        reading->answer.malformed++;
    if (record->replaced)
        reading->answer.replaced++;
    feed->tally.event_bytes += plain_length(out->data + record->start, record->len);
    sketch_add(&feed->tally.alerts, key.high); /* of the ID, whatever the time: dedup_key() */
    event_finish(feed->frame, out, record->start, record->has_time, time);
    feed->event_pos = outbox_end(feed->env->outbox);
    if (version) {
        ledger_add(feed->ledger, version, time, feed->event_pos);
        if (feed->listing)
            listing_written(feed->listing, version, time);
    }
    dedup_add(reading_is_partial(reading) ? dedup_partial(feed->progress.dedup) : feed->progress.dedup,
              (struct dedup_entry){ .key = key, .time = time, .pos = feed->event_pos });
    if (record->has_time)
        feed->newest_alert = ticks_max(feed->newest_alert, time);
    feed->tally.new_events++;
    reading->pages.fresh++;
}

/* Compares a record with the ledger. Returns true if it is to become an event: the ledger lacks it, and it came in
 * full. What the dedup set knows was written, unless the day is to be written again. */
static bool take_audited(struct reading *reading, const struct page_record *record, struct hash128 key)
{
    CLEANUP(buf_free) struct buf plain = BUF_INIT(PAGE_RECORD_MAX);
    const struct feed *home = reading_home(reading);
    struct audit_reading *audit = &reading->audit;
    uint64_t version = ledger_key_of(home, record);
    const char *id;
    size_t len;
    bool lacks;

    if (audit->counts_only)
        return false;
    if (!version) {
        listing_take_odd(audit->listing, key.low);
        return false;
    }
    if (reading_lists(reading) && audit->form == LIST_SELECT && record->len > record->id_len + SELECTED_MOST)
        audit->ignored = true;
    id = plain_id(record, &plain, &len);
    lacks = listing_take(audit->listing, version, record->time, id, len);
    return lacks && audit->repairs && !reading_is_partial(reading) &&
           (ledger_is_again(home->ledger, ledger_day_of(record->time)) || !dedup_has(home->progress.dedup, key)) &&
           may_write(reading);
}

/* In ascending order a record that is sent twice follows itself, or one of just its time. */
static void follow_key(struct sequence *sequence, struct hash128 key)
{
    sequence->repeats |= sequence->ties > 1 && key.low == sequence->key.low && key.high == sequence->key.high;
    sequence->key = key;
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
    else
        reading->answer.sequence.broken = true;
    if (record->has_time && !may_be_new(reading, record->time)) {
        out->len = undo;
        return;
    }
    key = key_of(reading, out, record);
    follow_key(&reading->answer.sequence, key);
    reading->pages.kept++;
    reading->pages.sum += key.low ^ key.high * 3;
    if (reading->pages.seen)
        dedup_add(reading->pages.seen, (struct dedup_entry){ .key = key });
    if (reading->audit.listing) {
        if (take_audited(reading, record, key))
            write_event(reading, out, record, key);
        else
            out->len = undo;
        return;
    }
    if (is_written(reading, record, key) || !may_write(reading)) {
        feed->tally.repeats += !reading->answer.held_back;
        out->len = undo;
        return;
    }
    write_event(reading, out, record, key);
}

/* Returns what a bad record is recognized by: its bytes, or its beginning and its length. */
static struct hash128 key_of_bad(const struct page_bad_record *bad)
{
    struct hash128 key = dedup_key(bad->text, bad->len, 0);

    if (bad->cut)
        key.low ^= bad->bytes;
    return key;
}

/* Returns the time under which a bad record is remembered: as long as a record without a time, or as long as the window
 * is quarantined that it came with. */
static ticks seen_at(const struct reading *reading)
{
    return reading->kind == WORKER_QUARANTINE ? reading->window.lo : present(reading->feed);
}

static void log_bad(const struct reading *reading, const struct page_bad_record *bad)
{
    char lo[TICKS_TEXT_MAX], hi[TICKS_TEXT_MAX], time[TICKS_TEXT_MAX] = "unknown", id[BAD_ID_MAX];

    ticks_text(reading->window.lo, lo);
    ticks_text(reading_window_end(reading), hi);
    if (bad->has_time)
        ticks_text(bad->time, time);
    snprintf(id, sizeof(id), "%.*s", bad->id_len < BAD_ID_MAX ? (int)bad->id_len : BAD_ID_MAX, bad->id ? bad->id : "");
    feed_log(reading->feed, EVENT_BAD_RECORD, bad->why,
             "record=%zu offset=%llu from=%s to=%s bytes=%llu time=%s a record cannot be read; it is in an event of "
             "the source type " UNREADABLE_SOURCETYPE " id=%s",
             bad->ordinal, (unsigned long long)bad->offset, lo, hi, (unsigned long long)bad->bytes, time,
             QUOTED(*id ? id : "unknown"));
}

/* Returns true if the window was searched for this record: it is a quarantined one that cannot be made smaller. */
static bool is_found(const struct reading *reading)
{
    const struct window *window = &reading->window;

    return reading->kind == WORKER_QUARANTINE &&
           window->hi - window->lo <= reading->feed->api->resolution(reading->variant);
}

/* A record that is not JSON is written once, and not before the response was requested again. One whose quotes do not
 * match may have others in its text, so it is written only when its window has been searched. One without an end is
 * not written: how much of the response belongs to it is not known. */
static void take_bad(void *ctx, struct buf *out, const struct page_bad_record *bad)
{
    struct reading *reading = ctx;
    struct feed *feed = reading->feed;
    struct dedup *dedup = feed->progress.dedup;
    struct hash128 key;

    reading->answer.stats.count++;
    reading->answer.bad++;
    if (reading->audit.listing) { /* the other workers of the input write it */
        if (!reading->audit.counts_only)
            listing_take_odd(reading->audit.listing, key_of_bad(bad).low);
        return;
    }
    if (!bad->whole || !(bad->balanced || is_found(reading)) ||
        (bad->has_time && bad->time < feed->progress.cursor.begin))
        return;
    key = key_of_bad(bad);
    if (dedup_renew(dedup, key, seen_at(reading)))
        return;
    reading->answer.bad_new += bad->balanced;
    if ((bad->balanced && reading->bad_tries < READING_BAD_TRIES) || !may_write(reading))
        return;
    unreadable_event(reading, bad, out);
    feed->event_pos = outbox_end(feed->env->outbox);
    dedup_add(dedup, (struct dedup_entry){ .key = key, .time = seen_at(reading), .pos = feed->event_pos });
    feed->tally.bad_records += bad->balanced; /* the others are counted with their window */
    log_bad(reading, bad);
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
