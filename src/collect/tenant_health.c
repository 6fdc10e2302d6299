/* The health of an input, and its status lines. */
#include "collect/tenant_private.h"

#include "base/mem.h"

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

struct status tenant_brief_status(const struct tenant *t, int64_t now_ms)
{
    struct token_view view;
    enum token_state token = feed_peek_token(&t->feed, now_ms, &view);
    const struct err *store = opening_store_trouble(&t->opening, token, &view);
    struct status status = { .feed = &t->feed, .state = t->state, .waits_for = opening_waits_for(&t->opening) };
    int64_t due_ms = opening_next_ms(&t->opening, t->workers[WORKER_LIVE].due_ms, token, &view);

    status.share = t->share ? share_lease_word(&t->share->lease) : NULL;
    status.reader = tenant_is_elsewhere(t) ? share_lease_reader(&t->share->lease) : NULL;
    if (!tenant_is_here(t))
        status.waits_for = "it is not this forwarder's turn: others share the input (the lines share say how)";
    status.problem = store ? store : &t->feed.problem;
    status.next_s = due_ms > now_ms ? (due_ms - now_ms + 999) / 1000 : 0;
    status.has_token = token == TOKEN_READY;
    status.token_s = (view.expires_ms - now_ms) / 1000;
    return status;
}

struct status tenant_status(const struct tenant *t, int64_t now_ms)
{
    struct status status = tenant_brief_status(t, now_ms);
    int64_t days;

    status.has_secret = t->principal && expiries_secret_days(t->env->expiries, t->principal, &status.secret_days);
    status.has_certificate = t->feed.source && principal_certificate_days(t->principal, &status.certificate_days);
    if (t->principal && expiries_certificate_days(t->env->expiries, t->principal, &days) &&
        (!status.has_certificate || days < status.certificate_days)) {
        status.has_certificate = true;
        status.certificate_days = days;
    }
    status.credential = t->feed.source ? principal_credential(t->principal) : NULL;
    return status;
}

void tenant_log_status(struct tenant *t, int64_t now_ms)
{
    struct status status = tenant_status(t, now_ms);

    timer_set(t->env->loop, &t->status_timer, status_next_ms(t->feed.number, t->env->started_ms, now_ms));
    if (!tenant_is_elsewhere(t))
        status_log(&status, now_ms);
}

void tenant_tell_status(struct tenant *t, int64_t now_ms)
{
    tenant_log_status(t, now_ms);
    state_writer_changed(t->env->states, &t->record);
}

/* The app works: its registration can be asked when its credentials end. */
static void note_expiry(const struct tenant *t)
{
    struct target graph;
    struct destination to;
    CLEANUP(mem_freep) char *api = NULL;

    target_graph(&t->input, &graph);
    to = target_destination(&graph);
    api = binding_api(&to);
    expiries_note(t->env->expiries, t->principal,
                  &(struct expiry_place){ .graph = graph.base_url, .resource = graph.resource, .api = api });
}

/* Takes note of a customer that works, is lost, or is back; the checkpoint keeps it. */
static void update_loss(struct tenant *t, const struct health *health)
{
    struct loss *loss = &t->feed.loss;
    bool was_lost = loss->lost;

    if (health->state == HEALTH_REFUSED)
        loss->lost = loss_explains(loss, health->sign_in ? health->sign_in : &t->feed.problem);
    if (health->state == HEALTH_OK) {
        loss->lost = false;
        loss->worked = true;
    }
    if (!loss->lost)
        loss->said = 0;
    if (was_lost && health->state == HEALTH_OK)
        feed_log(&t->feed, EVENT_BACK, NULL, "the customer works again; what it had meanwhile is read");
    if (checkpoint_note_loss(&t->saver.checkpoint, loss->worked ? loss->as : NULL, loss->said))
        t->saver.changed = true;
}

bool tenant_update_health(struct tenant *t, int64_t now_ms)
{
    const struct attempts *live = &t->workers[WORKER_LIVE].reading.attempts;
    const struct attempts *backfill = &t->workers[WORKER_BACKFILL].reading.attempts;
    struct token_view view;
    enum token_state token = feed_peek_token(&t->feed, now_ms, &view);
    struct health health = health_of(&(struct health_facts){ .held = secret_intake_held(t->opening.intake),
                                                             .reading = t->opening.state >= OPENING_TOKEN,
                                                             .polled = t->feed.read_ms != 0,
                                                             .failures = max_int(live->failures, backfill->failures),
                                                             .refusals = max_int(live->refusals, backfill->refusals),
                                                             .hold_until_ms = rate_hold_until(t->feed.rate),
                                                             .store_fails = opening_store_trouble(&t->opening, token,
                                                                                                  &view) != NULL,
                                                             .token = token,
                                                             .view = &view,
                                                             .before = t->state },
                                     now_ms);

    feed_count_sign_ins(&t->feed, &view);
    if (!tenant_is_here(t) && !(t->share && t->share->renewing))
        return false;
    if (health.sign_in) /* comes before the line of the state */
        feed_sign_in_failed(&t->feed, health.sign_in, view.retry_ms ? view.retry_ms - now_ms : -1);
    if (!tenant_is_here(t))
        return health.by_clock;
    update_loss(t, &health);
    if (t->share)
        tenant_share_health(t, now_ms);
    if (health.state == t->state)
        return health.by_clock;
    t->state = health.state;
    if (t->state == HEALTH_OK) {
        t->feed.problem.text[0] = '\0';
        notices_input_works(t->env->notices, t->input.name);
        note_expiry(t);
    }
    tenant_tell_status(t, now_ms);
    return health.by_clock;
}

void tenant_changed(struct tenant *t)
{
    t->look_ms = 0;
    tenant_update_health(t, clock_ms());
    t->env->changed(t->env->ctx);
}

void tenant_store_troubled(struct tenant *t)
{
    struct token_view view;
    enum token_state token = feed_peek_token(&t->feed, clock_ms(), &view);
    enum health_state before = t->state;

    if (!opening_store_trouble(&t->opening, token, &view))
        return;
    tenant_changed(t);
    if (t->state == before)
        tenant_tell_status(t, clock_ms());
}

bool tenant_is_refused(const struct tenant *t)
{
    return t->state == HEALTH_REFUSED;
}
