#include "collect/saver.h"

#include "state/store_file.h"

#define RETRY_MS    5000
#define TRIAL_BYTES 4096 /* the least that a checkpoint takes on a disk */

void saver_init(struct saver *saver, struct feed *feed, struct claim *claim)
{
    *saver = (struct saver){ .feed = feed, .claim = claim };
}

void saver_release(struct saver *saver)
{
    checkpoint_release(&saver->checkpoint);
}

void saver_forget(struct saver *saver)
{
    struct feed *feed = saver->feed;
    struct claim *claim = saver->claim;

    saver_release(saver);
    saver_init(saver, feed, claim);
    saver->saved_pos = feed->event_pos;
}

static void take_saved(struct saver *saver, const struct cursor *cursor)
{
    saver->saved = saver->alike = *cursor;
}

void saver_starts_from(struct saver *saver, const struct cursor *cursor)
{
    take_saved(saver, cursor);
}

static bool is_saved(struct saver *saver, const struct cursor *cursor)
{
    if (cursor_same(cursor, &saver->alike))
        return true;
    if (!cursor_same_saved(cursor, &saver->saved, saver->feed->progress.overlap_s))
        return false;
    saver->alike = *cursor;
    return true;
}

bool saver_save(struct saver *saver, uint64_t pos, enum store_durability durability)
{
    struct progress *progress = &saver->feed->progress;

    if (store_asked(saver->claim) || !progress->begun || !acks_confirmed(&progress->acks, pos))
        return false;
    saver->saving_pos = pos;
    saver->changed_saving = saver->changed;
    saver->changed = false;
    store_save(saver->claim, durability);
    return true;
}

enum store_durability saver_last_durability(struct saver *saver, uint64_t pos)
{
    return saver_has_news(saver, pos) || ledger_has_marks(saver->feed->ledger) ? STORE_SYNCED : STORE_WRITTEN;
}

void saver_ends(struct saver *saver, int64_t now_ms)
{
    double left = rate_hour_left(saver->feed->rate, now_ms);

    saver->changed = saver->changed || ledger_has_marks(saver->feed->ledger);
    if (left < 0)
        return;
    saver->checkpoint.rate.known = true;
    saver->checkpoint.rate.hour = left > 0 ? left : 0;
    saver->checkpoint.rate.at = ticks_from_ms(clock_wall_ms());
    saver->changed = true;
}

void saver_cancel(struct saver *saver)
{
    if (!store_asked(saver->claim))
        return;
    store_cancel(saver->claim);
    saver->changed = saver->changed || saver->changed_saving;
}

void saver_compose(struct saver *saver, struct buf *text)
{
    struct ledger *ledger = saver->feed->ledger;

    saver->saving_version = saver->feed->progress.quarantine.version;
    ledger_prepare(ledger, saver->saving_pos, feed_service_now(saver->feed));
    saver->checkpoint.ledger = ledger_end(ledger);
    saver->checkpoint.has_ledger = saver->checkpoint.ledger >= 0;
    saver->checkpoint.ledger_id = ledger_id(ledger);
    saver->again_saving_ms = saver->feed->reliance.order_again_ms;
    reliance_keep(&saver->feed->reliance, &saver->checkpoint, clock_wall_ms(), clock_ms());
    progress_format(&saver->feed->progress, &saver->checkpoint, saver->saving_pos, text, &saver->saving);
}

bool saver_has_news(struct saver *saver, uint64_t pos)
{
    struct progress *progress = &saver->feed->progress;
    const struct pending_cursor *confirmed = progress->begun ? acks_confirmed(&progress->acks, pos) : NULL;
    uint64_t event_pos = saver->feed->event_pos;

    if (!confirmed)
        return false;
    return saver->changed || saver->saved_version != progress->quarantine.version ||
           saver->again_saved_ms != saver->feed->reliance.order_again_ms || !is_saved(saver, &confirmed->cursor) ||
           (event_pos > saver->saved_pos && pos > saver->saved_pos);
}

int64_t saver_look_ms(struct saver *saver)
{
    const struct progress *progress = &saver->feed->progress;

    if (!progress->begun)
        return INT64_MAX;
    if (saver->changed || saver->fails || saver->saved_version != progress->quarantine.version ||
        saver->again_saved_ms != saver->feed->reliance.order_again_ms || saver->feed->event_pos > saver->saved_pos ||
        !is_saved(saver, &progress->cursor))
        return saver->due_ms;
    return INT64_MAX;
}

static void settle(struct saver *saver, uint64_t settled)
{
    struct feed *feed = saver->feed;
    size_t given_up;

    if (!feed->progress.quarantine.count)
        return;
    given_up = progress_settle(&feed->progress, settled, feed_service_now(feed));
    if (given_up)
        feed_log(feed, EVENT_BAD_RECORD, NULL,
                 "windows=%zu could not be read for as long as the service keeps records; they are given up", given_up);
}

void saver_tick(struct saver *saver, uint64_t settled, int64_t now_ms)
{
    settle(saver, settled);
    if (now_ms < saver->due_ms || store_asked(saver->claim) || !saver_has_news(saver, settled))
        return;
    saver_save(saver, settled, STORE_SYNCED);
}

bool saver_share(struct saver *saver, uint64_t settled, int64_t now_ms, struct buf *text)
{
    struct cursor shared;

    if (now_ms < saver->share_ms || store_asked(saver->claim) || !saver_has_news(saver, settled))
        return false;
    saver->share_ms = INT64_MAX;
    return progress_format(&saver->feed->progress, &saver->checkpoint, settled, text, &shared);
}

/* Logs that nothing can be saved; once, by whatever notices first: a save, or an event that is to be written. */
static void cannot_save(struct saver *saver, const struct err *err)
{
    const struct feed *feed = saver->feed;

    if (!saver->fails)
        feed_log(feed, EVENT_CHECKPOINT_FAILED, err->text, "the input holds its events back until it can be written");
    saver->fails = true;
}

/* Logs once that the ledger cannot be written or used. Returns true if a new file is to be made soon; if that fails, it
 * is tried again with each later save. */
static bool look_at_ledger(struct saver *saver)
{
    struct feed *feed = saver->feed;
    struct err err;

    if (!ledger_trouble(feed->ledger, &err))
        return false;
    feed_log(feed, EVENT_LEDGER, err.text,
             "alerts are written as before, but some days of this input cannot be compared");
    return ledger_unsaved(feed->ledger);
}

void saver_saved(struct saver *saver, bool ok, const struct err *err, int64_t now_ms)
{
    bool renews = look_at_ledger(saver);

    if (!ok) {
        saver->changed = saver->changed || saver->changed_saving;
        saver->due_ms = now_ms + RETRY_MS;
        cannot_save(saver, err);
        return;
    }
    if (saver->fails)
        feed_log(saver->feed, EVENT_CHECKPOINT, NULL, "the checkpoint can be written again");
    saver->fails = false;
    take_saved(saver, &saver->saving);
    saver->saved_pos = saver->saving_pos;
    saver->saved_version = saver->saving_version;
    saver->again_saved_ms = saver->again_saving_ms;
    saver->due_ms = now_ms + (renews ? RETRY_MS : SAVER_EVERY_MS);
    saver->share_ms = now_ms + SAVER_SHARE_AFTER_MS;
    saver->changed = saver->changed || renews;
    progress_saved(&saver->feed->progress, &saver->saved);
}

void saver_vanished(struct saver *saver)
{
    saver->changed = true;
    saver->due_ms = 0;
}

bool saver_writable(struct saver *saver, struct err *err)
{
    static const char block[TRIAL_BYTES];
    struct buf text = BUF_INIT(STORE_FILE_MAX);
    bool ok;

    if (!saver->fails) {
        ok = store_writable(saver->claim, block, sizeof(block), err);
    } else { /* a block fits, all of a checkpoint may not */
        checkpoint_format(&saver->checkpoint, &saver->saved, &saver->feed->progress.quarantine,
                          saver->feed->progress.dedup, saver->saved_pos, saver->feed->progress.overlap_s, &text);
        ok = store_writable(saver->claim, buf_text(&text), text.len, err);
        buf_free(&text);
    }
    if (!ok && saver->claim->held) /* a lost claim is no trouble of the disk */
        cannot_save(saver, err);
    return ok;
}
