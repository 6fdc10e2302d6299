#include "collect/beginning.h"

#include "base/mem.h"
#include "base/text.h"
#include "collect/same_tenant.h"
#include "microsoft/claims.h"

#define AHEAD_MOST (INT64_C(86400) * TICKS_PER_SECOND) /* by how much clocks may be wrong */

struct newest {
    ticks time; /* 0: no version is known */
};

static void look_at_entry(void *ctx, const struct dedup_entry *entry)
{
    struct newest *newest = ctx;

    newest->time = ticks_max(newest->time, entry->time);
}

/* Returns the update time of the newest version that is known to have been written; 0: none is. */
static ticks newest_written(const struct feed *feed)
{
    struct newest newest = { 0 };

    dedup_each(feed->progress.dedup, look_at_entry, &newest);
    dedup_each(dedup_partial(feed->progress.dedup), look_at_entry, &newest);
    return newest.time;
}

/* Continues with the ledger that the checkpoint speaks of, or begins one. */
static void continue_ledger(struct feed *feed, struct saver *saver)
{
    const struct checkpoint *checkpoint = &saver->checkpoint;
    const struct cursor *cursor = &checkpoint->cursor;
    ticks newest = newest_written(feed);
    bool whole = !newest && cursor->watermark <= cursor->begin && !cursor->backfill.active;

    newest = ticks_max(newest, cursor->watermark);
    if (!ledger_continue(feed->ledger, checkpoint->has_ledger ? checkpoint->ledger : -1, checkpoint->ledger_id,
                         whole ? cursor->begin : newest, whole))
        saver->changed = true;
}

static bool same_records(const char *api, const char *other)
{
    return text_same(api, api_incidents.name) == text_same(other, api_incidents.name);
}

/* The checkpoint is another tenant's or another API's. Its cursor is good for the same kind of record; its IDs are
 * not. */
static void carry_over(struct feed *feed, struct saver *saver, int64_t now_ms)
{
    struct checkpoint *checkpoint = &saver->checkpoint;
    bool same = same_records(checkpoint->api, feed->api->name);

    feed_log(feed, EVENT_CHECKPOINT_RENEWED, NULL, "old_tenant=%s old_api=%s the checkpoint was of these; %s",
             QUOTED(checkpoint->tenant_id), QUOTED(checkpoint->api),
             same ? "reading continues at its cursor" : "reading begins at start_time");
    progress_forget_written(&feed->progress);
    checkpoint_assign(checkpoint, feed->input->tenant_id, feed->api->name);
    feed->loss.worked = feed->loss.lost = false;
    if (!same)
        return;
    ledger_begin(feed->ledger, checkpoint->cursor.watermark + 1, false);
    cursor_carry_over(&checkpoint->cursor, feed->input->overlap);
    progress_begin(&feed->progress, &checkpoint->cursor, now_ms);
    saver_starts_from(saver, &checkpoint->cursor);
}

/* The API was changed to one that gives the same alerts the same IDs: everything that is known stays known, so that only
 * what has another update time there is written again. The ledger is of one API. */
static void move_on(struct feed *feed, struct saver *saver)
{
    struct checkpoint *checkpoint = &saver->checkpoint;
    CLEANUP(mem_freep) char *tid = mem_text(checkpoint->tid);

    feed_log(
        feed, EVENT_CHECKPOINT_RENEWED, NULL,
        "old_api=%s the checkpoint was of that API, which gives the same alerts the same IDs; reading continues at "
        "its cursor, and what was written stays known",
        QUOTED(checkpoint->api));
    checkpoint_assign(checkpoint, feed->input->tenant_id, feed->api->name);
    checkpoint_name_tenant(checkpoint, feed->input->tenant_id, tid);
    ledger_begin(feed->ledger, ticks_max(newest_written(feed), checkpoint->cursor.watermark) + 1, false);
    progress_begin(&feed->progress, &checkpoint->cursor, clock_ms());
    saver_starts_from(saver, &checkpoint->cursor);
    saver->changed = true;
}

/* Continues with what the process before this one left of the hourly limit. What it said is valid once: the checkpoint
 * is saved without it before the first request, since this process may be killed. */
static void take_rate(const struct feed *feed, struct saver *saver)
{
    struct checkpoint *checkpoint = &saver->checkpoint;
    struct rate *rate = feed->rate;

    if (!checkpoint->rate.known) {
        rate_resume_unknown(rate);
        return;
    }
    rate_resume(rate, checkpoint->rate.hour, clock_wall_ms() - ticks_to_ms(checkpoint->rate.at));
    checkpoint->rate.known = false;
    saver->changed = true;
}

/* Takes over whether the customer worked with the present sign-in. Versions before this one did not note it: alerts that
 * were read tell. */
static void take_loss(struct feed *feed, const struct checkpoint *checkpoint)
{
    const struct cursor *cursor = &checkpoint->cursor;
    struct loss *loss = &feed->loss;

    if (checkpoint->worked)
        loss->worked = text_same(checkpoint->worked, loss->as);
    else
        loss->worked = cursor->watermark > cursor->begin || newest_written(feed);
    loss_resume(loss, loss->worked ? checkpoint->lost : 0, ticks_from_ms(clock_wall_ms()), clock_ms());
}

void beginning_from_checkpoint(struct feed *feed, struct saver *saver)
{
    struct checkpoint *checkpoint = &saver->checkpoint;

    if (text_same_nocase(checkpoint->tenant_id, feed->input->tenant_id))
        feed_name_rate(feed, checkpoint->tid);
    take_rate(feed, saver);
    feed->own_since = checkpoint->own_since;
    feed->progress.quarantine = checkpoint->quarantine;
    checkpoint->quarantine = (struct quarantine){ .count = 0 };
    saver->saved_version = feed->progress.quarantine.version;

    if (!api_same_ids(feed->api, checkpoint->api) ||
        same_tenant(checkpoint, feed->input->tenant_id, NULL) == TENANT_OTHER) {
        carry_over(feed, saver, clock_ms());
        return;
    }
    if (!text_same(checkpoint->api, feed->api->name)) {
        move_on(feed, saver);
        return;
    }
    take_loss(feed, checkpoint);
    reliance_take(&feed->reliance, checkpoint, clock_wall_ms(), clock_ms());
    saver->again_saved_ms = feed->reliance.order_again_ms;
    progress_begin(&feed->progress, &checkpoint->cursor, clock_ms());
    saver_starts_from(saver, &checkpoint->cursor);
    continue_ledger(feed, saver);
}

static bool is_ahead(const struct feed *feed, ticks service_now)
{
    const struct cursor *cursor = &feed->progress.cursor;
    ticks limit = service_now + AHEAD_MOST;

    return cursor_is_ahead(cursor, limit) || (feed->input->start_time.relative && cursor->begin > limit);
}

bool beginning_is_ahead(const struct feed *feed)
{
    return is_ahead(feed, feed_service_now(feed));
}

void beginning_at_start_time(struct feed *feed, struct saver *saver, int64_t now_ms)
{
    const struct start_time *start = &feed->input->start_time;
    struct cursor cursor;
    ticks written;

    quarantine_release(&feed->progress.quarantine); /* what lies after start_time is read again, the rest never */
    cursor_start(&cursor, start->relative ? ticks_back(feed_service_now(feed), start->back_s) : start->time);
    written = newest_written(feed);
    ledger_begin(feed->ledger, written ? ticks_max(written + 1, cursor.begin) : cursor.begin, !written);
    progress_begin(&feed->progress, &cursor, now_ms);
    saver_starts_from(saver, &cursor);
    saver->changed = true;
    if (start->relative)
        service_clock_begins(&feed->clock, clock_wall_ms(), now_ms);
}

/* Each look at each input asks this, so what is never true of almost all is looked at first. */
bool beginning_was_late(const struct feed *feed, int64_t now_ms)
{
    const struct service_clock *clock = &feed->clock;
    int64_t wall_ms;
    bool ahead;

    if (!clock->known)
        return false;
    ahead = is_ahead(feed, ticks_from_ms(service_clock_now(clock, 0, now_ms)));
    if (!clock->began && !ahead)
        return false;
    wall_ms = clock_wall_ms();
    return service_clock_began_late(clock, wall_ms, now_ms) ||
           (ahead && service_clock_confirmed(clock, wall_ms, now_ms));
}

void beginning_again(struct feed *feed, struct saver *saver, int64_t now_ms)
{
    feed_log(feed, EVENT_CLOCK, NULL,
             "the input began by a date that was too late, as responses and this host's clock say now; reading begins "
             "again at start_time");
    beginning_at_start_time(feed, saver, now_ms);
}

bool beginning_needs_clock(const struct feed *feed)
{
    return !feed->progress.begun && feed->input->start_time.relative;
}

void beginning_settle_tenant(struct feed *feed, struct saver *saver, const char *authorization, int64_t now_ms)
{
    const char *tenant_id = feed->input->tenant_id;
    struct checkpoint *checkpoint = &saver->checkpoint;
    struct claims claims;

    claims_read(authorization, &claims);
    feed_name_rate(feed, claims.tenant);
    if (same_tenant(checkpoint, tenant_id, claims.tenant) == TENANT_OTHER)
        carry_over(feed, saver, now_ms);
    if (!text_same(checkpoint->tenant_id, tenant_id)) {
        feed_log(feed, EVENT_CHECKPOINT_RENEWED, NULL,
                 "old_tenant=%s the checkpoint was of that tenant_id, which is the same tenant",
                 QUOTED(checkpoint->tenant_id));
        checkpoint_name_tenant(checkpoint, tenant_id, NULL);
        saver->changed = true;
    }
    if (!text_is_guid(tenant_id) && !text_empty(claims.tenant) && !text_same(checkpoint->tid, claims.tenant)) {
        checkpoint_name_tenant(checkpoint, tenant_id, claims.tenant);
        saver->changed = true;
    }
    claims_release(&claims);
}
