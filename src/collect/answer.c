/* What the answer to a lane's request means. */
#include "base/clock.h"
#include "base/mem.h"
#include "collect/collector.h"
#include "collect/harvest.h"
#include "collect/worker_private.h"
#include "collect/verdict.h"
#include "messages/log_events.h"

static void answer_is_good(struct worker *worker, const char *link)
{
    struct tenant *t = worker->tenant;

    worker->rejected = false;
    t->tally.ok++;
    t->tally.whole += worker->page_harvest.count > 0;
    chain_page(worker, link);
}

/* Events that could not be written: the whole answer is asked for once more. */
static bool is_held_back(struct worker *worker)
{
    struct err err;

    if (!worker->held_back)
        return false;
    err_set(&err, ERR_RETRY, "events are held back since the checkpoint cannot be written: %s", worker->held_why);
    worker_failed(worker, &err, false);
    return true;
}

/* A 200 whose body was read to its end or to where it broke. */
static void answer_read(struct worker *worker)
{
    CLEANUP(mem_freep) char *link = mem_text(page_next_link(worker->page));
    struct err err;

    harvest_warn(worker);
    if (is_held_back(worker))
        return;
    if (page_unbalanced(worker->page)) {     /* good records may have gone with the bad one: hunt it down */
        err_set(&err, ERR_RETRY, "the answer holds a record whose quotes are out of step");
        worker_broken(worker, &err);
        return;
    }
    if (worker->bad > worker->bad_accepted && worker->bad_tries < WORKER_BAD_TRIES) {
        worker->bad_tries++;
        err_set(&err, ERR_RETRY, "the answer holds a record that is no JSON");
        worker_failed(worker, &err, false);
        return;
    }
    if (!worker->chain || worker->bad > worker->bad_accepted)
        worker->bad_accepted = worker->bad;
    worker->bad_tries = 0;
    answer_is_good(worker, link);
}

/* The service's own clock bounds the cursor. */
static void take_clock(struct worker *worker, const struct http_result *result)
{
    if (!result->date_ms)
        return;
    worker->tenant->clock_offset_ms = result->date_ms - clock_wall_ms();
    if (ticks_from_ms(result->date_ms) < worker->sent_at)
        worker->sent_at = ticks_from_ms(result->date_ms);
}

void worker_answered(void *ctx, const struct http_result *result)
{
    struct worker *worker = ctx;
    struct tenant *t = worker->tenant;
    struct verdict verdict;

    worker->request = NULL;
    t->tally.bytes += result->wire_bytes;
    take_clock(worker, result);
    verdict_of(worker, result, &verdict);
    switch (verdict.kind) {
    case VERDICT_READ:
        answer_read(worker);
        break;
    case VERDICT_TOKEN:
        token_source_reject(t->source, worker->token);
        worker->rejected = true;
        worker_wake(worker, loop_now(t->col->loop));
        break;
    case VERDICT_VARIANT:
        log_event(EVENT_FORM, "input=%s tenant=%s api=%s form=%d %s, a simpler form is tried", t->label,
                  t->input.tenant_id, t->api->name, worker->variant + 1, verdict.err.text);
        chain_forget(worker);
        worker->variant++;
        worker_wake(worker, loop_now(t->col->loop));
        break;
    case VERDICT_THROTTLED:
        t->tally.throttled++;
        worker_throttled(worker, &verdict.err);
        break;
    case VERDICT_FAILED:
        t->tally.failed++;
        worker_failed(worker, &verdict.err, verdict.may_be_size);
        break;
    case VERDICT_BROKEN:
        t->tally.failed++;
        harvest_warn(worker);
        if (!is_held_back(worker))
            worker_broken(worker, &verdict.err);
        break;
    case VERDICT_REFUSED:
        t->tally.refused++;
        worker_refused(worker, &verdict.err);
        break;
    }
    worker_request_ends(worker);
    tenant_look(t);
    worker_step(worker, clock_ms());
}
