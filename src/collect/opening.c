#include "collect/opening.h"

#include "base/mem.h"
#include "base/text.h"
#include "collect/beginning.h"

bool opening_began_late(const struct opening *opening, int64_t now_ms)
{
    return opening->state == OPENING_OPEN && beginning_was_late(opening->feed, now_ms) &&
           !store_asked(opening->saver->claim);
}

void opening_begin_again(struct opening *opening, int64_t now_ms)
{
    beginning_again(opening->feed, opening->saver, now_ms);
    opening->owner->opened(opening->ctx);
}

#define OPINIONS_MOST 8 /* on the time; fewer if several in a row agree */

static void timer_fired(void *ctx, int64_t now_ms);

void opening_start(struct opening *opening)
{
    opening->state = OPENING_CLAIM;
    opening->started = true;
    opening->timer = (struct timer){ .fire = timer_fired, .ctx = opening };
    store_claim(opening->saver->claim);
}

void opening_start_again(struct opening *opening)
{
    opening_stop(opening);
    opening_start(opening);
}

void opening_stop(struct opening *opening)
{
    timer_cancel(opening->feed->env->loop, &opening->timer);
    opening->opinions = 0;
    opening->state = OPENING_CLAIM;
    opening->started = false;
}

bool opening_is_stopped(const struct opening *opening)
{
    return !opening->started;
}

/* Returns true if the opening ends with the state that was just done. */
static bool ends_with(struct opening *opening, enum opening_state done)
{
    if (opening->until != done)
        return false;
    opening_stop(opening);
    opening->owner->stopped(opening->ctx);
    return true;
}

void opening_release(struct opening *opening)
{
    if (opening->feed)
        timer_cancel(opening->feed->env->loop, &opening->timer);
    mem_freep(&opening->bad);
    secret_gate_leave(&opening->ticket);
    secret_intake_free(opening->intake);
}

const struct err *opening_store_trouble(const struct opening *opening, enum token_state token,
                                        const struct token_view *view)
{
    bool opens = opening->state == OPENING_SECRETS && !secret_intake_held(opening->intake);

    return opens || (token != TOKEN_READY && view->storing) ? passwords_trouble(opening->feed->env->passwords) : NULL;
}

int64_t opening_next_ms(const struct opening *opening, int64_t due_ms, enum token_state token,
                        const struct token_view *view)
{
    if (opening->state == OPENING_SECRETS)
        return secret_watch_next_ms(opening->feed->env->secrets);
    if (opening->state != OPENING_OPEN)
        due_ms = timer_is_set(&opening->timer) ? opening->timer.due_ms : 0;
    return token == TOKEN_FAILED && view->retry_ms > due_ms ? view->retry_ms : due_ms;
}

const char *opening_waits_for(const struct opening *opening)
{
    switch (opening->state) {
    case OPENING_CLAIM:
    case OPENING_LOAD: return "another process still works on this input";
    case OPENING_SECRETS:
    case OPENING_IMPORT: return "its secrets are read from Splunk's password store";
    default: return "no poll is complete yet";
    }
}

static void step_at(struct opening *opening, int64_t due_ms)
{
    timer_set(opening->feed->env->loop, &opening->timer, due_ms);
}

/* CLAIM and LOAD. */

static void wait_with(struct opening *opening, const struct err *err)
{
    struct feed *feed = opening->feed;
    bool is_news = !text_same(feed->problem.text, err->text);
    char again[CLOCK_AGAIN_MAX];
    struct err why = *err;

    event_blame(&why, EVENT_WAITING);
    if (is_news)
        feed_log(feed, EVENT_WAITING, err->text, "waiting, %s", clock_again(err->wait_ms, again));
    step_at(opening, clock_ms() + err->wait_ms);
    opening->owner->waits(opening->ctx, &why, is_news); /* the status line says when the next try is */
}

void opening_claimed(struct opening *opening)
{
    opening->state = OPENING_LOAD;
    store_load(opening->saver->claim);
}

void opening_busy(struct opening *opening, const struct err *err)
{
    wait_with(opening, err);
}

/* Puts a checkpoint aside that cannot be used, and loads what comes in its place: the one before it, if the store has
 * kept that. The input waits if this is not possible. */
static void put_aside(struct opening *opening, struct err *err)
{
    if (!store_set_aside(opening->saver->claim, err)) {
        err->wait_ms = 10000;
        wait_with(opening, err);
        return;
    }
    mem_freep(&opening->bad);
    opening->bad = mem_text(err->text);
    store_load(opening->saver->claim);
}

static void tell_of_bad(struct opening *opening, bool found)
{
    if (opening->bad)
        feed_log(opening->feed, EVENT_CHECKPOINT_BAD, opening->bad, "it was renamed to .bad and %s",
                 found ? "reading goes on with the one before it" : "reading begins at start_time");
    mem_freep(&opening->bad);
}

void opening_loaded(struct opening *opening, enum store_found found, const struct buf *text, const struct err *err)
{
    struct feed *feed = opening->feed;
    struct checkpoint *checkpoint = &opening->saver->checkpoint;
    struct err why;

    if (found == STORE_FAILED && err->kind != ERR_INPUT) {
        wait_with(opening, err);
        return;
    }
    if (found == STORE_FAILED)
        why = *err;
    if (found == STORE_FOUND) {
        if (checkpoint_parse(buf_text(text), text->len, checkpoint, feed->progress.dedup, &why))
            beginning_from_checkpoint(feed, opening->saver);
        else
            found = STORE_FAILED;
    }
    if (found == STORE_FAILED) {
        put_aside(opening, &why);
        return;
    }
    tell_of_bad(opening, found == STORE_FOUND);
    if (found != STORE_FOUND)
        checkpoint_assign(checkpoint, feed->input->tenant_id, feed->api->name);
    if (ends_with(opening, OPENING_LOAD))
        return;
    opening->state = OPENING_SECRETS;
    opening_step(opening, clock_ms());
}

/* SECRETS and IMPORT. */

static bool was_imported(void *ctx, const char *param, const char *value)
{
    const struct opening *opening = ctx;

    return checkpoint_has_imported(&opening->saver->checkpoint, param, value);
}

static void import(void *ctx, const char *param, const char *value)
{
    struct opening *opening = ctx;

    checkpoint_add_imported(&opening->saver->checkpoint, param, value);
    opening->saver->changed = true;
}

static void use_proxy(void *ctx, const char *password)
{
    struct opening *opening = ctx;

    opening->owner->use_proxy(opening->ctx, password);
}

static struct principal *principal(void *ctx)
{
    struct opening *opening = ctx;

    return opening->owner->principal(opening->ctx);
}

static void intake_waits(void *ctx, const struct err *err)
{
    struct opening *opening = ctx;

    opening->owner->waits(opening->ctx, err, false);
}

/* A person has to act; the input's health tells why. */
static void intake_held(void *ctx)
{
    struct opening *opening = ctx;

    opening->owner->changed(opening->ctx);
}

/* The secrets are in place. */
static void sign_in(struct opening *opening)
{
    struct feed *feed = opening->feed;
    CLEANUP(mem_freep) char *api = binding_api(&opening->to);

    secret_intake_mask(opening->intake);
    if (ends_with(opening, OPENING_IMPORT))
        return;
    opening->state = OPENING_TOKEN;
    opening->owner->has_source(opening->ctx, token_source_get(opening->owner->principal(opening->ctx),
                                                              opening->to.resource, feed->api->v1_token, api));
    step_at(opening, loop_now(feed->env->loop));
}

static void intake_done(void *ctx, bool changed)
{
    struct opening *opening = ctx;

    opening->in_place = true;
    if (opening->state != OPENING_SECRETS) /* the claim was lost meanwhile */
        return;
    opening->state = OPENING_IMPORT;
    if (!changed || !saver_save(opening->saver, 0, STORE_SYNCED)) /* a new input has nothing to save yet */
        sign_in(opening);
}

static void start_intake(struct opening *opening)
{
    static const struct secret_intake_owner callbacks = { was_imported, import,      use_proxy,   principal,
                                                          intake_waits, intake_held, intake_done, NULL };
    struct secret_intake_owner owner = callbacks;
    const struct feed *feed = opening->feed;

    if (opening->in_place) {
        sign_in(opening);
        return;
    }
    if (opening->intake || !secret_watch_loaded(feed->env->secrets))
        return;
    owner.ctx = opening;
    opening->intake = secret_intake_new(&(struct secret_intake_spec){ .loop = feed->env->loop,
                                                                      .passwords = feed->env->passwords,
                                                                      .data_inputs = feed->env->data_inputs,
                                                                      .input = opening->input,
                                                                      .ticket = &opening->ticket,
                                                                      .label = feed->label,
                                                                      .to = opening->to,
                                                                      .v1 = feed->api->v1_token },
                                        &owner);
    secret_intake_start(opening->intake);
}

/* TOKEN and BEGIN. */

static void open_input(struct opening *opening)
{
    opening->state = OPENING_OPEN;
    opening->feed->open = true;
    opening->owner->opened(opening->ctx);
}

/* Returns false if the Date of the token's response is doubted. */
static bool take_clock(struct opening *opening, const struct token_view *view)
{
    return !view->has_clock || feed_take_date(opening->feed, clock_wall_ms() + view->clock_offset_ms, 0);
}

/* Returns true if another response of the login service is to be asked for its Date before this one decides. A doubted
 * Date decides neither where a new input begins nor that a checkpoint is of the future, and one Date alone does not
 * decide the latter: everything would be read again. */
static bool needs_opinion(const struct opening *opening, bool believed, bool ahead)
{
    if (ahead && !opening->opinions)
        return true;
    return !believed && opening->opinions < OPINIONS_MOST && (ahead || beginning_needs_clock(opening->feed));
}

/* Returns how durable the save before the first request has to be. A sync would delay the first events. But if the text that
 * it replaces was not synced either, a loss of power would leave only the one before both, which may be hours old. */
static enum store_durability first_durability(const struct saver *saver)
{
    return saver->claim->unsynced ? STORE_SYNCED : STORE_WRITTEN;
}

static void have_token(struct opening *opening, const struct token_view *view, int64_t now_ms)
{
    struct feed *feed = opening->feed;
    bool believed = take_clock(opening, view),
         ahead = feed->progress.begun && view->has_clock && beginning_is_ahead(feed);

    if (ends_with(opening, OPENING_TOKEN))
        return;
    if (needs_opinion(opening, believed, ahead)) {
        opening->opinions++;
        token_source_refetch(feed->source, view->token);
        step_at(opening, now_ms);
        return;
    }
    ahead = ahead && feed->clock.known; /* the host's clock alone may be the one that is wrong */
    beginning_settle_tenant(feed, opening->saver, view->authorization, now_ms);
    if (ahead)
        feed_log(feed, EVENT_CHECKPOINT_BAD, NULL,
                 "the checkpoint holds times that are still to come, by the service's clock; reading begins at "
                 "start_time");
    if (ahead || !feed->progress.begun)
        beginning_at_start_time(feed, opening->saver, now_ms);
    opening->state = OPENING_BEGIN;
    if (!opening->saver->changed || !saver_save(opening->saver, 0, first_durability(opening->saver)))
        open_input(opening);
}

static void ask_for_token(struct opening *opening, int64_t now_ms)
{
    struct token_view view;

    switch (token_source_ask(opening->feed->source, now_ms, &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_FAILED:
        step_at(opening, view.retry_ms);
        opening->owner->changed(opening->ctx);
        return;
    case TOKEN_READY: have_token(opening, &view, now_ms); return;
    }
}

/* One answer of the store to each save; a failed one was logged and is repeated by the saver. */
void opening_saved(struct opening *opening)
{
    if (opening->state == OPENING_IMPORT)
        sign_in(opening);
    else if (opening->state == OPENING_BEGIN)
        open_input(opening);
}

void opening_step(struct opening *opening, int64_t now_ms)
{
    if (!opening->started)
        return;
    switch (opening->state) {
    case OPENING_CLAIM:
        if (!store_asked(opening->saver->claim))
            store_claim(opening->saver->claim);
        return;
    case OPENING_LOAD:
        if (!store_asked(opening->saver->claim))
            store_load(opening->saver->claim);
        return;
    case OPENING_SECRETS: start_intake(opening); return;
    case OPENING_TOKEN: ask_for_token(opening, now_ms); return;
    case OPENING_IMPORT:
    case OPENING_BEGIN:
    case OPENING_OPEN: return;
    }
}

static void timer_fired(void *ctx, int64_t now_ms)
{
    opening_step(ctx, now_ms);
}
