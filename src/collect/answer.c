/* What the answer to a lane's request means. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "collect/collector.h"
#include "collect/harvest.h"
#include "collect/lane_parts.h"
#include "collect/verdict.h"

static void answer_is_good(struct lane *lane, const char *link)
{
    struct tenant *t = lane->tenant;

    lane->rejected = false;
    t->tally.ok++;
    t->tally.whole += lane->page_harvest.count > 0;
    chain_page(lane, link);
}

/* An answer that may come again: to an open question, all on one page, with nothing in it that was not written. */
static void remember(struct lane *lane, const struct http_result *result, const char *link)
{
    lane->last = (struct reading){ .print = { 0, 0 } };
    if (lane->stale && !lane->chain && !link && (!lane->top || lane->page_harvest.count < lane->top))
        lane->last = (struct reading){ .print = result->print, .window = lane->window, .top = lane->top,
                                       .form = lane->form, .harvest = lane->page_harvest, .kept = lane->kept };
}

/* Byte for byte what was read before. */
static void answer_repeated(struct lane *lane)
{
    struct tenant *t = lane->tenant;

    lane->page_harvest = lane->last.harvest;
    lane->kept = lane->last.kept;
    lane->bad_accepted = lane->bad_tries = 0;
    t->tally.repeats += lane->kept;
    answer_is_good(lane, NULL);
}

/* Events that could not be written: the whole answer is asked for once more. */
static bool is_held_back(struct lane *lane)
{
    struct err err;

    if (!lane->held_back)
        return false;
    err_set(&err, ERR_RETRY, "events are held back since the checkpoint cannot be written: %s", lane->held_why);
    lane_failed(lane, &err, false);
    return true;
}

/* A 200 whose body was read to its end or to where it broke. */
static void answer_read(struct lane *lane, const struct http_result *result)
{
    CLEANUP(mem_freep) char *link = mem_text(page_next_link(lane->page));
    struct err err;

    harvest_warn(lane);
    if (is_held_back(lane))
        return;
    if (page_tangled(lane->page)) {     /* good records may have gone with the bad one: hunt it down */
        err_set(&err, ERR_RETRY, "the answer holds a record whose quotes are out of step");
        lane_broken(lane, &err);
        return;
    }
    if (lane->bad > lane->bad_accepted && lane->bad_tries < LANE_BAD_TRIES) {
        lane->bad_tries++;
        err_set(&err, ERR_RETRY, "the answer holds a record that is no JSON");
        lane_failed(lane, &err, false);
        return;
    }
    if (!lane->chain || lane->bad > lane->bad_accepted)
        lane->bad_accepted = lane->bad;
    lane->bad_tries = 0;
    remember(lane, result, link);
    answer_is_good(lane, link);
}

/* The service's own clock bounds the cursor. */
static void take_clock(struct lane *lane, const struct http_result *result)
{
    if (!result->date_ms)
        return;
    lane->tenant->clock_offset_ms = result->date_ms - clock_wall_ms();
    if (ticks_from_ms(result->date_ms) < lane->sent_at)
        lane->sent_at = ticks_from_ms(result->date_ms);
}

void lane_answered(void *ctx, const struct http_result *result)
{
    struct lane *lane = ctx;
    struct tenant *t = lane->tenant;
    struct verdict verdict;

    lane->request = NULL;
    t->tally.bytes += result->wire_bytes;
    take_clock(lane, result);
    verdict_of(lane, result, &verdict);
    switch (verdict.kind) {
    case VERDICT_REPEATED:
        answer_repeated(lane);
        break;
    case VERDICT_READ:
        answer_read(lane, result);
        break;
    case VERDICT_TOKEN:
        access_reject(t->access, lane->token);
        lane->rejected = true;
        lane_wake(lane, loop_now(t->col->loop));
        break;
    case VERDICT_FORM:
        log_event(EVENT_FORM, "input=%s tenant=%s api=%s form=%d %s, a simpler form is tried", t->label,
                  t->input.tenant_id, t->api->name, lane->form + 1, verdict.err.text);
        chain_forget(lane);
        lane->form++;
        lane_wake(lane, loop_now(t->col->loop));
        break;
    case VERDICT_THROTTLED:
        t->tally.throttled++;
        lane_throttled(lane, &verdict.err);
        break;
    case VERDICT_FAILED:
        t->tally.failed++;
        lane_failed(lane, &verdict.err, verdict.may_be_size);
        break;
    case VERDICT_BROKEN:
        t->tally.failed++;
        harvest_warn(lane);
        if (!is_held_back(lane))
            lane_broken(lane, &verdict.err);
        break;
    case VERDICT_REFUSED:
        t->tally.refused++;
        lane_refused(lane, &verdict.err);
        break;
    }
    lane_request_ends(lane);
    tenant_look(t);
    lane_step(lane, clock_ms());
}
