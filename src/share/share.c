#include "share/share_private.h"

#include <limits.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/log_events.h"
#include "share/token.h"

#define HOST_MS   250              /* between tries to get the host's byte: the other process is usually about to end */
#define UNFIT_MS  (10 * 60 * 1000) /* between self-tests of a store that is not fit */
#define STATUS_MS (5 * 60 * 1000)
#define SEND_MS   9000 /* between two sends of checkpoints: not with each round, since 40 calls a minute are promised */

static uint64_t random_bits(void *ctx UNUSED)
{
    uint64_t bits;

    random_bytes(&bits, sizeof(bits));
    return bits;
}

/* Rounds. */

static void round_answered(void *ctx, const struct kvstore_answer *answer);

static bool is_refusal(enum kvstore_fault fault)
{
    return fault == KVSTORE_SESSION || fault == KVSTORE_RIGHTS || fault == KVSTORE_NO_COLLECTION ||
           fault == KVSTORE_REFUSED;
}

static void next_round(struct share *share, int64_t now_ms)
{
    int64_t due_ms = share_core_round_ms(share->core);

    timer_set(share->spec.loop, &share->round_timer, due_ms > now_ms ? due_ms : now_ms);
}

static void send_checkpoints(struct share *share, int64_t now_ms)
{
    if (now_ms < share->send_ms || share_core_is_busy(share->core) || !share_checkpoints_waits(share->checkpoints, NULL))
        return;
    share->send_ms = now_ms + SEND_MS;
    share_checkpoints_flush(share->checkpoints);
}

static void round_over(struct share *share, int64_t now_ms)
{
    share->in_round = false;
    share_log_events(share);
    share_tell_soon(share);
    send_checkpoints(share, now_ms);
    share_log_unsaved(share);
    share_forget_sent(share);
    share_look_for_lost(share, now_ms);
    next_round(share, now_ms);
}

static void make_call(struct share *share, const struct share_call *call, int64_t now_ms)
{
    if (call)
        share_link_call(share->link, call, round_answered, share);
    else
        round_over(share, now_ms);
}

static void round_answered(void *ctx, const struct kvstore_answer *answer)
{
    struct share *share = ctx;
    int64_t now_ms = clock_ms();

    if (share->tested && is_refusal(answer->fault)) /* else the self-test has told why, in other words */
        share_log_refused(share, answer->err);
    else if (share->tested && answer->fault == KVSTORE_OK)
        share_log_refused(share, NULL);
    if (answer->fault != KVSTORE_OK && answer->fault != KVSTORE_TAKEN && answer->fault != KVSTORE_MISSING)
        share_note_trouble(share, answer->err, now_ms);
    make_call(share, share_core_answered(share->core, answer, now_ms), now_ms);
}

static void begin_round(struct share *share, int64_t now_ms)
{
    bool well = share_is_well(share, now_ms);

    if (well != share->well)
        share_core_set_well(share->core, well);
    if (!well && share->well && share->disk_fails_ms)
        share_resave(share);
    share->well = well;
    share->in_round = true;
    make_call(share, share_core_begin(share->core, now_ms), now_ms);
}

/* The self-test. */

static void tested(void *ctx, const struct share_self_test_result *result)
{
    struct share *share = ctx;
    int64_t now_ms = clock_ms();

    share->tested = result->ok;
    if (result->unfit) {
        share->phase = SHARE_OUTSIDE;
        log_event(EVENT_SHARE_UNFIT, "group=%s store=%s step=%s why=%s this forwarder stays outside", share->spec.group,
                  share_link_url(share->link, share_link_present(share->link)), QUOTED(result->step),
                  QUOTED(result->err->text));
        timer_set(share->spec.loop, &share->round_timer, now_ms + UNFIT_MS);
        share_log_change(share, now_ms);
        return;
    }
    share_log_refused(share, result->ok ? NULL : result->err);
    share->phase = SHARE_RUNS;
    begin_round(share, now_ms); /* also without an answer: then the round has none, and that counts */
}

static void begin_test(struct share *share)
{
    share_self_test_free(share->test);
    share->test = share_self_test_new(share->spec.loop, share->link, share->spec.group, random_bits(NULL), tested,
                                      share);
}

/* Joining. */

static void restore(struct share *share)
{
    const struct share_own_entry *entry;
    struct share_lease *lease;

    for (lease = share->leases; lease; lease = lease->next)
        if (lease->number != SHARE_NOT_HERE && (entry = share_own_record_find(&share->own, lease->input)))
            share_core_restore(share->core, lease->number, entry->since, entry->number);
}

/* The inputs that can be read here take part. */
static void make_core(struct share *share, int64_t now_ms)
{
    const char **inputs = mem_alloc((share->count + 1) * sizeof(*inputs));
    struct share_lease *lease;
    size_t count = 0;

    for (lease = share->leases; lease; lease = lease->next) {
        lease->number = lease->lacks_secret ? SHARE_NOT_HERE : count;
        if (!lease->lacks_secret)
            inputs[count++] = lease->input;
    }
    share->core = share_core_new(&(struct share_core_spec){ .group = share->spec.group,
                                                            .forwarder = share->spec.forwarder,
                                                            .program = VERSION,
                                                            .stops = share->spec.stops,
                                                            .now_ms = now_ms,
                                                            .random = random_bits },
                                 inputs, count);
    free(inputs);
    restore(share);
}

static void claim_host(struct share *share, int64_t now_ms)
{
    struct err err;

    if (!share->spec.claim_host(share->spec.ctx, &err)) {
        timer_set(share->spec.loop, &share->round_timer, now_ms + HOST_MS);
        return;
    }
    if (!share_own_record_load(share->spec.checkpoint_folder, share->spec.group, share->spec.forwarder, &share->own,
                               &err))
        log_event(EVENT_SHARE_BAD_RECORD,
                  "group=%s record=share.own.json why=%s it is ignored: inputs wait before they go on",
                  share->spec.group, QUOTED(err.text));
    make_core(share, now_ms);
    share->phase = SHARE_RUNS;
    begin_test(share);
}

static void round_due(void *ctx, int64_t now_ms)
{
    struct share *share = ctx;

    if (share->ending)
        return;
    if (share->phase == SHARE_WANTS_HOST)
        claim_host(share, now_ms);
    else if (!share->tested)
        begin_test(share);
    else
        begin_round(share, now_ms);
}

static void tell_due(void *ctx, int64_t now_ms)
{
    share_tell(ctx, now_ms);
}

static void status_due(void *ctx, int64_t now_ms)
{
    struct share *share = ctx;

    timer_set(share->spec.loop, &share->status_timer, clock_next(now_ms, STATUS_MS));
    share_log_status(share, now_ms);
}

static void make_link(struct share *share, const char *token)
{
    share->link = share_link_new(&(struct share_link_spec){ .loop = share->spec.loop,
                                                            .http = share->spec.http,
                                                            .urls = share->spec.urls,
                                                            .ca_file = share->spec.ca_file,
                                                            .splunk_home = share->spec.splunk_home,
                                                            .token = token });
    share->checkpoints = share_checkpoints_new(&(struct share_checkpoints_spec){ .loop = share->spec.loop,
                                                                                 .link = share->link,
                                                                                 .group = share->spec.group });
    share_log_place(share);
    share->phase = SHARE_WANTS_HOST;
    timer_set(share->spec.loop, &share->round_timer, clock_ms());
}

void share_has_token(struct share *share, const char *token)
{
    share->token.ends_s = share_token_ends_s(token);
    if (share->link)
        share_link_set_token(share->link, token);
    else
        make_link(share, token);
}

void share_secrets_loaded(struct share *share)
{
    struct err err;
    const char *token = share_token_find(share->spec.passwords, share->spec.group, share->spec.urls, &err);

    if (!timer_is_set(&share->status_timer))
        timer_set(share->spec.loop, &share->status_timer, clock_next(clock_ms(), STATUS_MS));
    if (token)
        share_has_token(share, token);
    else
        share_log_refused(share, &err);
    share_log_change(share, clock_ms());
}

bool share_wants_secrets(const struct share *share)
{
    const struct share_lease *lease;

    if (share->phase == SHARE_WANTS_TOKEN || share->refused)
        return true;
    for (lease = share->leases; lease; lease = lease->next)
        if (lease->lacks_secret)
            return true;
    return false;
}

void share_secret_came(struct share_lease *lease)
{
    struct share *share = lease->share;

    lease->lacks_secret = false;
    if (share->core && lease->number == SHARE_NOT_HERE)
        lease->number = share_core_add_input(share->core, lease->input);
}

/* Beginning and end. */

struct share *share_new(const struct share_spec *spec)
{
    struct share *share = mem_alloc(sizeof(*share));
    struct share_spec *copy = &share->spec;

    *copy = *spec;
    copy->urls = mem_text(spec->urls);
    copy->group = mem_text(spec->group);
    copy->ca_file = spec->ca_file ? mem_text(spec->ca_file) : NULL;
    copy->forwarder = mem_text(spec->forwarder);
    copy->checkpoint_folder = mem_text(spec->checkpoint_folder);
    copy->splunk_home = spec->splunk_home ? mem_text(spec->splunk_home) : NULL;
    share->well = true;
    share->token.days_said = INT_MAX;
    share->round_timer = (struct timer){ .fire = round_due, .ctx = share };
    share->tell_timer = (struct timer){ .fire = tell_due, .ctx = share };
    share->status_timer = (struct timer){ .fire = status_due, .ctx = share };
    return share;
}

void share_free(struct share *share)
{
    if (!share)
        return;
    timer_cancel(share->spec.loop, &share->round_timer);
    timer_cancel(share->spec.loop, &share->tell_timer);
    timer_cancel(share->spec.loop, &share->status_timer);
    share_self_test_free(share->test);
    share_checkpoints_free(share->checkpoints);
    share_link_free(share->link);
    share_core_free(share->core);
    share_own_record_free(&share->own);
    free(share->refused);
    free(share->trouble.why);
    free(share->unsaved);
    free((char *)share->spec.urls);
    free((char *)share->spec.group);
    free((char *)share->spec.ca_file);
    free((char *)share->spec.forwarder);
    free((char *)share->spec.checkpoint_folder);
    free((char *)share->spec.splunk_home);
    free(share);
}

void share_add(struct share *share, struct share_lease *lease)
{
    struct share_lease **end = &share->leases;

    while (*end)
        end = &(*end)->next;
    lease->share = share;
    lease->number = SHARE_NOT_HERE;
    *end = lease;
    share->count++;
}

void share_ends(struct share *share)
{
    share->ending = true;
    share_keep_own(share);
    if (share->checkpoints)
        share_checkpoints_flush(share->checkpoints);
}

bool share_is_busy(const struct share *share)
{
    return share->core && share_checkpoints_waits(share->checkpoints, NULL);
}
