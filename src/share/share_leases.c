#include "share/share_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/log_events.h"

#define LOAD_AGAIN_MS    5000
/* Tries before an input goes on without the shared checkpoint: a minute while the store answers otherwise, and ten if it is
 * gone. Without a file of its own the input would be read from its start_time. */
#define LOADS_MOST       12
#define LOADS_ALONE_MOST 120
/* Inputs that begin at once, as many as one call loads: the sign-ins and first polls of 500 are spread over 15 s. */
#define PORTION          100
#define PORTION_MS       3000
#define LIST_MS          (2 * 60 * 1000) /* between two looks at which checkpoints the store has: 75 bytes each */
#define DISK_FAILS_MS    (2 * 60 * 1000) /* then others shall have the inputs: what comes is held back here */
#define WELL_LEAST       3 /* inputs that fail below HTTP before that says something about this forwarder */

static enum share_state state_of(const struct share_lease *lease, int64_t now_ms)
{
    const struct share *share = lease->share;

    if (!share->core || lease->number == SHARE_NOT_HERE)
        return SHARE_ELSEWHERE;
    return share_core_state(share->core, lease->number, now_ms);
}

/* The owner was told that it may read, and not yet that it may not any more. */
static bool is_granted(const struct share_lease *lease)
{
    return lease->told != SHARE_ELSEWHERE && lease->told != SHARE_WAITING;
}

/* Beginning to read. */

/* From now on a restart may go on with the file alone. */
static void note_own(struct share_lease *lease)
{
    struct share *share = lease->share;
    const struct share_own_entry *entry = share_own_record_find(&share->own, lease->input);

    if (entry && text_same(entry->since, lease->since))
        return;
    share_own_record_set(&share->own, lease->input, lease->since, lease->since_number);
    share->own_changed = true;
}

static void grant(struct share_lease *lease, const struct buf *text, bool others, int64_t now_ms)
{
    struct share *share = lease->share;
    const char *since = share_core_since(share->core, lease->number, &lease->since_number);

    snprintf(lease->since, sizeof(lease->since), "%s", since);
    lease->told = state_of(lease, now_ms);
    lease->tries = 0;
    lease->reach = SHARE_REACH_UNKNOWN;
    lease->others = others;
    lease->told_elsewhere = true; /* it has been here */
    if (!others)
        note_own(lease);
    lease->owner->granted(lease->ctx, text);
}

static void log_checkpoint(const struct share_lease *lease, const struct err *err, const char *so)
{
    CLEANUP(mem_freep) char *why = share_advised(err->text, &event_table[EVENT_SHARE_CHECKPOINT].remedy);

    log_event(EVENT_SHARE_CHECKPOINT, "group=%s input=%s why=%s %s", lease->share->spec.group, QUOTED(lease->input),
              QUOTED(why), so);
}

static void loaded(void *ctx, enum kvstore_fault fault, const struct err *err, const struct buf *text)
{
    struct share_lease *lease = ctx;
    int64_t now_ms = clock_ms();
    enum share_state state = state_of(lease, now_ms);

    lease->loading = lease->unasked = false;
    if (is_granted(lease) || lease->letting_go || !share_may_read(state))
        return;
    if (fault != KVSTORE_OK && ++lease->tries < (state == SHARE_ALONE ? LOADS_ALONE_MOST : LOADS_MOST)) {
        lease->load_due_ms = now_ms + LOAD_AGAIN_MS;
        share_tell_soon(lease->share);
        return;
    }
    if (fault != KVSTORE_OK)
        log_checkpoint(lease, err,
                       "the checkpoint in the shared store cannot be read; the input goes on with this forwarder's "
                       "own");
    else if (*err->text)
        log_checkpoint(lease, err, "these records are ignored");
    grant(lease, fault == KVSTORE_OK ? text : NULL, fault != KVSTORE_OK || text, now_ms);
    share_tell_soon(lease->share);
}

/* Its own file is as new as anything in the store if this forwarder has been reading under the same since. */
static bool needs_no_load(const struct share_lease *lease)
{
    const struct share *share = lease->share;
    const struct share_own_entry *entry = share_own_record_find(&share->own, lease->input);
    int64_t number;

    return entry && text_same(entry->since, share_core_since(share->core, lease->number, &number));
}

/* turn: counts the inputs that begin at this moment. */
static void begin(struct share_lease *lease, size_t *turn, int64_t now_ms)
{
    struct share *share = lease->share;

    if (lease->loading || lease->letting_go)
        return;
    if (needs_no_load(lease)) {
        lease->unasked = true;
        grant(lease, NULL, false, now_ms);
        return;
    }
    if (!lease->load_due_ms)
        lease->load_due_ms = now_ms + (int64_t)((*turn)++ / PORTION) * PORTION_MS;
    if (now_ms < lease->load_due_ms)
        return;
    lease->loading = true;
    share_checkpoints_load(share->checkpoints, lease->input, loaded, lease);
}

/* Ceasing to read. */

static void take(struct share_lease *lease)
{
    struct share *share = lease->share;

    lease->told = SHARE_ELSEWHERE;
    lease->letting_go = true;
    if (share_own_record_remove(&share->own, lease->input))
        share->own_changed = true;
    lease->owner->taken(lease->ctx);
}

/* Returns true if the input is still held under the since under which it reads. */
static bool is_same_since(const struct share_lease *lease)
{
    int64_t number;

    return text_same(lease->since, share_core_since(lease->share->core, lease->number, &number));
}

static void tell_granted(struct share_lease *lease, enum share_state state)
{
    bool was = share_may_read(lease->told);

    if (state == SHARE_ELSEWHERE || state == SHARE_WAITING || !is_same_since(lease)) {
        take(lease);
        return;
    }
    if (was && (!share_may_read(state) || lease->lapsed))
        lease->owner->paused(lease->ctx);
    if (share_may_read(state) && (!was || lease->lapsed))
        lease->owner->resumed(lease->ctx);
    lease->lapsed = false;
    lease->told = state;
}

static void tell_waiting(struct share_lease *lease, enum share_state state)
{
    lease->told = state;
    if (lease->told_elsewhere || state != SHARE_ELSEWHERE || !share_lease_reader(lease))
        return;
    lease->told_elsewhere = true;
    lease->owner->elsewhere(lease->ctx);
}

/* Sends the last checkpoints of inputs that were let go, once the last of them is: hundreds that go within a second would
 * be as many calls. One that takes longer holds the others up for a round at most, and nobody reads them sooner. */
static void send_last(struct share *share)
{
    const struct share_lease *lease;

    for (lease = share->leases; lease; lease = lease->next)
        if (lease->letting_go)
            return;
    share->let_go = false;
    share->send_ms = 0; /* should it fail, the next round sends it */
    share_checkpoints_flush(share->checkpoints);
}

void share_tell(struct share *share, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;
    struct share_lease *lease;
    size_t turn = 0;

    if (!share->core || share->ending)
        return;
    for (lease = share->leases; lease; lease = lease->next) {
        enum share_state state = state_of(lease, now_ms);

        if (is_granted(lease))
            tell_granted(lease, state);
        else if (share_may_read(state))
            begin(lease, &turn, now_ms);
        else
            tell_waiting(lease, state);
        if (!is_granted(lease) && share_may_read(state) && lease->load_due_ms > now_ms && lease->load_due_ms < due_ms)
            due_ms = lease->load_due_ms;
    }
    if (share->let_go)
        send_last(share);
    if (share_core_change_ms(share->core, now_ms) < due_ms)
        due_ms = share_core_change_ms(share->core, now_ms);
    if (due_ms != INT64_MAX && (!timer_is_set(&share->tell_timer) || due_ms < share->tell_timer.due_ms))
        timer_set(share->spec.loop, &share->tell_timer, due_ms > now_ms ? due_ms : now_ms + 1);
    share_keep_own(share);
    share_log_change(share, now_ms);
}

void share_look(struct share *share, int64_t now_ms)
{
    share_tell(share, now_ms);
}

void share_tell_soon(struct share *share)
{
    timer_set(share->spec.loop, &share->tell_timer, loop_now(share->spec.loop));
}

/* What owners ask and say. */

bool share_lease_may_read(struct share_lease *lease)
{
    if (!share_may_read(lease->told))
        return false;
    if (share_may_read(state_of(lease, clock_ms())))
        return true;
    lease->lapsed = true; /* something was refused: the owner begins again even if the next round is good */
    share_tell_soon(lease->share);
    return false;
}

void share_lease_composed(struct share_lease *lease, const struct buf *text)
{
    struct share *share = lease->share;

    if (!*lease->since || !share->checkpoints)
        return;
    share_checkpoints_put(share->checkpoints, lease->input, lease->since, lease->since_number, text->data, text->len);
}

void share_lease_unsaved(struct share_lease *lease)
{
    if (!lease->share->disk_fails_ms)
        lease->share->disk_fails_ms = clock_ms();
}

void share_lease_saved(struct share_lease *lease)
{
    lease->share->disk_fails_ms = 0;
    if (*lease->since && is_granted(lease))
        note_own(lease);
}

bool share_lease_lacks_file(struct share_lease *lease)
{
    struct share *share = lease->share;

    if (!lease->unasked)
        return false;
    lease->unasked = false;
    lease->told = SHARE_WAITING;
    lease->since[0] = '\0';
    share_own_record_remove(&share->own, lease->input);
    share->own_changed = true;
    share_tell_soon(share);
    return true;
}

void share_lease_let_go(struct share_lease *lease)
{
    lease->letting_go = false;
    lease->sent = true;
    lease->since[0] = '\0';
    lease->load_due_ms = 0;
    lease->share->let_go = true;
    share_tell_soon(lease->share);
}

void share_lease_unreachable(struct share_lease *lease, bool unreachable)
{
    lease->reach = unreachable ? SHARE_REACH_NONE : SHARE_REACH_OK;
}

const char *share_lease_word(const struct share_lease *lease)
{
    enum share_state state = state_of(lease, clock_ms());

    if (is_granted(lease))
        return state == SHARE_ALONE ? "alone" : share_may_read(state) ? "reading" : "paused";
    return state == SHARE_ELSEWHERE ? "elsewhere" : "waiting";
}

const char *share_lease_reader(const struct share_lease *lease)
{
    const struct share *share = lease->share;

    return share->core && lease->number != SHARE_NOT_HERE ? share_core_owner(share->core, lease->number) : NULL;
}

/* A forwarder that was of no use is well again once one input works: the probe that it has kept. */
bool share_is_well(const struct share *share, int64_t now_ms)
{
    const struct share_lease *lease;
    size_t granted = 0, failing = 0, working = 0;

    for (lease = share->leases; lease; lease = lease->next) {
        granted += is_granted(lease);
        failing += is_granted(lease) && lease->reach == SHARE_REACH_NONE;
        working += is_granted(lease) && lease->reach == SHARE_REACH_OK;
    }
    if (share->spec.is_stuck(share->spec.ctx) ||
        (share->disk_fails_ms && now_ms - share->disk_fails_ms >= DISK_FAILS_MS))
        return false;
    return share->well ? granted < WELL_LEAST || failing < granted : working > 0 || !failing;
}

void share_resave(struct share *share)
{
    struct share_lease *lease;

    for (lease = share->leases; lease; lease = lease->next)
        if (is_granted(lease))
            lease->owner->resave(lease->ctx);
}

void share_keep_own(struct share *share)
{
    struct err err;

    if (!share->own_changed)
        return;
    share->own_changed = false;
    if (!share_own_record_save(share->spec.checkpoint_folder, share->spec.group, share->spec.forwarder, &share->own,
                               &err))
        log_event(EVENT_SHARE_BAD_RECORD,
                  "group=%s record=share.own.json why=%s after a restart inputs wait before they go on",
                  share->spec.group, QUOTED(err.text));
}

void share_forget_sent(struct share *share)
{
    struct share_lease *lease;

    for (lease = share->leases; lease; lease = lease->next) {
        if (!lease->sent || share_checkpoints_waits(share->checkpoints, lease->input))
            continue;
        lease->sent = false;
        if (!is_granted(lease))
            share_checkpoints_forget(share->checkpoints, lease->input);
    }
}

static void listed(void *ctx, const struct share_keys *keys)
{
    struct share *share = ctx;
    struct share_lease *lease;

    for (lease = share->leases; lease; lease = lease->next) {
        if (!is_granted(lease) || share_checkpoints_waits(share->checkpoints, lease->input) ||
            share_checkpoints_listed(share->checkpoints, keys, lease->input, lease->since))
            continue;
        share_checkpoints_forget(share->checkpoints, lease->input);
        lease->owner->resave(lease->ctx);
    }
}

void share_look_for_lost(struct share *share, int64_t now_ms)
{
    if (now_ms < share->list_ms)
        return;
    share->list_ms = now_ms + LIST_MS;
    share_checkpoints_list(share->checkpoints, listed, share);
}
