/* An input that several forwarders have (share/share.h): it reads while it is this one's turn. */
#include "collect/tenant_private.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/joined.h"
#include "messages/diagnosis.h"
#include "state/store_file.h"

#define LEAVE_LOOK_MS   250
#define LEAVE_MOST_MS   5000
#define UNREACHABLE_MS  (2 * 60 * 1000)
#define WEEK_MS         (7 * INT64_C(86400) * 1000)
#define RENEW_FIRST_MS  (60 * 60 * 1000) /* after the start, and up to a day more */
#define RENEW_SPREAD_MS (INT64_C(86400) * 1000)

bool tenant_is_elsewhere(const struct tenant *t)
{
    const struct tenant_share *share = t->share;

    return share && !share->granted && !share->leaving && share_lease_reader(&share->lease) &&
           text_same(share_lease_word(&share->lease), "elsewhere");
}

bool tenant_is_here(const struct tenant *t)
{
    return !t->share || t->share->granted;
}

bool tenant_may_read(void *ctx)
{
    struct tenant *t = ctx;

    return t->share->granted && share_lease_may_read(&t->share->lease);
}

/* Forgets what is known of the input's progress, and gives its name back. */
static void forget(struct tenant *t)
{
    t->feed.open = false;
    manifest_release(&t->manifest);
    store_release(&t->claim);
    progress_release(&t->feed.progress);
    progress_init(&t->feed.progress, t->input.overlap);
    saver_forget(&t->saver);
    ledger_forget(t->feed.ledger);
    opening_stop(&t->opening);
    buf_free(&t->share->text);
    t->share->has_text = false;
    t->feed.read_ms = 0;
    t->feed.problem.text[0] = '\0';
    t->state = HEALTH_WAITING;
}

/* Coming. */

static void start_opening(struct tenant *t, enum opening_state until)
{
    store_release(&t->claim);
    t->opening.until = until;
    opening_start_again(&t->opening);
}

/* Others have used the rate of the last minute; how much of the hour is left is not known (collect/beginning.c). */
static void granted(void *ctx, const struct buf *text)
{
    struct tenant *t = ctx;
    struct tenant_share *share = t->share;

    if (share->leaving) { /* it had not settled yet what it knew at the start */
        timer_cancel(t->env->loop, &share->leave_timer);
        share->leaving = false;
        forget(t);
    }
    share->granted = true;
    share->renewing = false;
    timer_cancel(t->env->loop, &share->renew_timer);
    buf_free(&share->text);
    share->has_text = text != NULL;
    if (text)
        buf_add(&share->text, text->data, text->len);
    t->feed.since_ms = clock_ms();
    t->feed.problem.text[0] = '\0';
    rate_was_used(t->feed.rate);
    start_opening(t, OPENING_CLAIM);
    state_writer_changed(t->env->states, &t->record);
}

/* The turn has begun: from now on this forwarder alone writes. What is known so far may be more than its file has. */
static void note_turn(struct tenant *t, bool joined)
{
    struct checkpoint *checkpoint = &t->saver.checkpoint;

    if (t->share->lease.others)
        checkpoint->own_since = feed_service_now(&t->feed);
    t->saver.changed = t->saver.changed || joined || t->share->lease.others || checkpoint->own_until;
    checkpoint->own_until = 0;
    t->feed.own_since = checkpoint->own_since;
}

void tenant_share_loaded(struct tenant *t, enum store_found found, const struct buf *own, const struct err *err)
{
    struct tenant_share *share = t->share;
    const struct joined_input input = { .tenant_id = t->input.tenant_id, .api = t->feed.api };
    bool takes = share && share->granted && share->has_text && (found == STORE_FOUND || found == STORE_NONE);

    if (share && share->granted && !share->has_text && found == STORE_NONE && share_lease_lacks_file(&share->lease)) {
        share->granted = false;
        forget(t);
        return;
    }
    /* A file that cannot be used is put aside, and then there is none. */
    takes = takes && joined_checkpoint(&share->text, found == STORE_FOUND ? own : NULL, &input);
    opening_loaded(&t->opening, takes ? STORE_FOUND : found, takes ? &share->text : own, err);
    if (!share || !share->granted || t->opening.state <= OPENING_LOAD)
        return;
    share->has_text = false;
    buf_free(&share->text);
    note_turn(t, takes);
}

/* Going. */

static void let_go(struct tenant *t)
{
    t->share->leaving = false;
    timer_cancel(t->env->loop, &t->share->leave_timer);
    manifest_leave(&t->manifest);
    forget(t);
    if (!t->share->settles)
        share_lease_let_go(&t->share->lease);
    state_writer_changed(t->env->states, &t->record);
    if (!timer_is_set(&t->share->renew_timer))
        tenant_share_renew_later(t);
}

/* Takes the next step of leaving: wait for splunkd, save once, let go. */
static void leave(void *ctx, int64_t now_ms)
{
    struct tenant *t = ctx;
    struct tenant_share *share = t->share;
    uint64_t taken = outbox_taken(t->env->outbox);
    bool waits = store_asked(&t->claim) || (taken < t->feed.event_pos && now_ms < share->leave_until_ms);

    if (waits) {
        timer_set(t->env->loop, &share->leave_timer, now_ms + LEAVE_LOOK_MS);
        return;
    }
    if (!share->saved_last) {
        share->saved_last = true;
        if (!t->saver.checkpoint.own_until)
            t->saver.checkpoint.own_until = feed_service_now(&t->feed);
        if (!share->settles)
            saver_ends(&t->saver, now_ms);
        if (saver_save(&t->saver, taken, STORE_SYNCED)) {
            timer_set(t->env->loop, &share->leave_timer, now_ms + LEAVE_LOOK_MS);
            return;
        }
    }
    let_go(t);
}

static void begin_to_leave(struct tenant *t, bool settles)
{
    struct tenant_share *share = t->share;

    share->granted = false;
    share->leaving = true;
    share->settles = settles;
    share->saved_last = false;
    share->leave_until_ms = clock_ms() + LEAVE_MOST_MS;
    timer_set(t->env->loop, &share->leave_timer, clock_ms());
}

static void taken(void *ctx)
{
    struct tenant *t = ctx;

    begin_to_leave(t, false);
    t->feed.open = false;
    tenant_reset_workers(t);
    manifest_release(&t->manifest);
}

/* Meanwhile. */

static void paused(void *ctx)
{
    tenant_reset_workers(ctx);
}

static void resumed(void *ctx)
{
    struct tenant *t = ctx;

    tenant_reset_workers(t);
    if (t->feed.open)
        tenant_wake(t);
}

static void resave(void *ctx)
{
    struct tenant *t = ctx;
    int64_t now_ms = clock_ms();

    if (!t->feed.open)
        return;
    t->saver.changed = true;
    if (t->saver.due_ms < now_ms) /* all inputs at once may be told so */
        t->saver.due_ms = now_ms + random_below(SAVER_SHARE_AFTER_MS);
}

/* The process before this one may have been killed while it read the input: what it wrote is said, and its checkpoint says
 * how far it came. */
static void elsewhere(void *ctx)
{
    struct tenant *t = ctx;

    if (!t->share->leaving && opening_is_stopped(&t->opening))
        start_opening(t, OPENING_LOAD);
}

static const struct share_lease_owner lease_owner = { granted, elsewhere, paused, resumed, taken, resave };

void tenant_share_tick(struct tenant *t, uint64_t settled, int64_t now_ms)
{
    struct buf text = BUF_INIT(STORE_FILE_MAX);

    if (t->share && saver_share(&t->saver, settled, now_ms, &text) && !mem_ran_out()) /* it takes memory */
        share_lease_composed(&t->share->lease, &text);
    buf_free(&text);
}

/* Returns true if the cause is one of a request that got no answer: name, connection, TLS, proxy, a link that carries
 * nothing or breaks. */
static bool is_below_http(const char *cause)
{
    int i;

    for (i = DIAGNOSIS_NO_NAME; i <= DIAGNOSIS_CUT; i++)
        if (text_same(diagnosis_table[i].word, cause))
            return true;
    return false;
}

void tenant_share_health(struct tenant *t, int64_t now_ms)
{
    struct tenant_share *share = t->share;
    bool fails = t->state == HEALTH_FAILING && is_below_http(t->feed.problem.cause);

    if (!fails)
        share->failing_ms = 0;
    else if (!share->failing_ms)
        share->failing_ms = now_ms;
    if (fails && now_ms - share->failing_ms >= UNREACHABLE_MS)
        share_lease_unreachable(&share->lease, true);
    else if (t->state == HEALTH_OK)
        share_lease_unreachable(&share->lease, false);
}

/* Secrets. */

static bool is_stored(const struct tenant *t, char *name)
{
    bool stored = passwords_get(t->env->passwords, name) != NULL;

    free(name);
    return stored;
}

/* Returns true if the input brings a secret that is not in the password store yet. */
static bool brings_secret(const struct input *input)
{
    return input->client_secret || input->refresh_token || input->authorization_code || input->proxy_password;
}

static bool has_secret(const struct tenant *t)
{
    const struct input *input = &t->input;

    return input->client_certificate || input->client_assertion || brings_secret(input) || t->opening.in_place ||
           is_stored(t, secret_name_client(input->client_id)) ||
           is_stored(t, secret_name_refresh(input->tenant_id, input->client_id));
}

void tenant_share_secrets(struct tenant *t)
{
    struct tenant_share *share = t->share;
    bool lacks = share && !has_secret(t);

    if (!share)
        return;
    if (lacks && !share->lease.lacks_secret)
        feed_log(&t->feed, EVENT_SHARE_NO_SECRET, NULL, "only other forwarders can read it");
    if (!lacks && share->lease.lacks_secret)
        share_secret_came(&share->lease);
    share->lease.lacks_secret = lacks;
}

/* A secret that is in inputs.conf goes into the password store at once, whoever reads the input. */
void tenant_share_start(struct tenant *t)
{
    if (brings_secret(&t->input))
        start_opening(t, OPENING_IMPORT);
    else
        tenant_share_renew_later(t);
}

/* The opening has done what it should without this forwarder's turn. */
void tenant_share_stopped(void *ctx)
{
    struct tenant *t = ctx;

    if (t->opening.until == OPENING_LOAD) {
        begin_to_leave(t, true);
        return;
    }
    forget(t);
    tenant_share_renew_later(t);
    if (t->opening.until == OPENING_IMPORT && tenant_is_elsewhere(t))
        elsewhere(t);
}

/* A refresh token that is not used for 90 days ends: one whose input others read is renewed once a week. */

static void renew(void *ctx, int64_t now_ms UNUSED)
{
    struct tenant *t = ctx;
    struct token_view view;

    if (t->share->granted || t->share->leaving || !opening_is_stopped(&t->opening))
        return;
    if (!is_stored(t, secret_name_refresh(t->input.tenant_id, t->input.client_id))) {
        tenant_share_renew_later(t);
        return;
    }
    if (t->feed.source && token_source_peek(t->feed.source, clock_ms(), &view) == TOKEN_READY)
        token_source_refetch(t->feed.source, view.token);
    t->share->renewing = true;
    start_opening(t, OPENING_TOKEN);
}

void tenant_share_renew_later(struct tenant *t)
{
    struct tenant_share *share = t->share;
    int64_t first_ms = RENEW_FIRST_MS + (int64_t)random_below((uint32_t)RENEW_SPREAD_MS);

    timer_set(t->env->loop, &share->renew_timer, clock_ms() + (share->renewing ? WEEK_MS : first_ms));
    share->renewing = false;
}

/* Beginning and end. */

void tenant_share_init(struct tenant *t)
{
    struct tenant_share *share = mem_alloc(sizeof(*share));

    t->share = share;
    share->text = (struct buf)BUF_INIT(STORE_FILE_MAX);
    share->lease = (struct share_lease){ .input = t->input.name, .owner = &lease_owner, .ctx = t };
    share->leave_timer = (struct timer){ .fire = leave, .ctx = t };
    share->renew_timer = (struct timer){ .fire = renew, .ctx = t };
    share_add(t->env->share, &share->lease);
}

void tenant_share_free(struct tenant *t)
{
    if (!t->share)
        return;
    timer_cancel(t->env->loop, &t->share->leave_timer);
    timer_cancel(t->env->loop, &t->share->renew_timer);
    buf_free(&t->share->text);
    free(t->share);
}
