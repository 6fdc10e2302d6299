#include "auth/secret_intake.h"

#include <stdlib.h>

#include "auth/secret_intake_private.h"
#include "auth/token_source.h"
#include "base/clock.h"
#include "messages/log_events.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/signin.h"
#include "splunk/mask.h"
#include "splunk/proxy.h"

#define RETRY_MS 10000

static void next_secrets(struct secret_intake *intake);

/* No hash of a proxy's password is kept: people choose those, so they can be guessed. The store itself tells whether it
 * is known. */
static void remember(struct secret_intake *intake)
{
    const struct secret_intake_owner *owner = &intake->owner;

    intake->to_mask[intake->at] = true;
    if (intake->at == SECRET_PROXY)
        return;
    owner->import(owner->ctx, secret_param_names[intake->at], *secret_plaintext(intake, intake->at));
    intake->changed = true;
}

/* Ends the work on one secret: its plaintext is not needed any more. */
static void finish_secret(struct secret_intake *intake)
{
    mem_free_secretp(secret_plaintext(intake, intake->at));
    intake->warned = false;
    intake->at++;
}

/* Plans another try for the secret at hand. */
static void retry_later(struct secret_intake *intake, const struct err *err)
{
    const struct secret_intake_owner *owner = &intake->owner;

    if (!intake->warned)
        log_event(EVENT_SECRET_WAITS, "input=%s tenant=%s parameter=%s why=%s trying again in %d s", intake->spec.label,
                  intake->spec.input->tenant_id, secret_param_names[intake->at], QUOTED(err->text), RETRY_MS / 1000);
    intake->warned = true;
    owner->waits(owner->ctx, err);
    timer_set(intake->spec.loop, &intake->retry, clock_ms() + RETRY_MS);
}

/* A secret that the store refuses is used as given, but not a refresh token: it rotates, so it needs a place. */
static void stored(void *ctx, bool ok, const struct err *err)
{
    struct secret_intake *intake = ctx;
    const struct secret_intake_spec *spec = &intake->spec;

    if (!ok && intake->at == SECRET_REFRESH) {
        retry_later(intake, err);
        return;
    }
    secret_hand_over(intake, intake->at, *secret_plaintext(intake, intake->at));
    intake->as_given[intake->at] = !ok;
    if (!ok) {
        log_event(EVENT_SECRET_NOT_STORED,
                  "input=%s tenant=%s parameter=%s why=%s Splunk's password store did not take it, so the one in "
                  "inputs.conf is used",
                  spec->label, spec->input->tenant_id, secret_param_names[intake->at], QUOTED(err->text));
    } else {
        log_event(EVENT_SECRET_STORED, "input=%s tenant=%s parameter=%s moved to Splunk's password store", spec->label,
                  spec->input->tenant_id, secret_param_names[intake->at]);
        remember(intake);
    }
    finish_secret(intake);
    next_secrets(intake);
}

/* The authorization code. */

static void code_refused(const struct secret_intake *intake, const struct err *err)
{
    const struct secret_intake_spec *spec = &intake->spec;
    CLEANUP(mem_freep)
    char *address = signin_address(spec->to.login_url, spec->input->tenant_id, spec->input->client_id,
                                   spec->input->redirect_uri, spec->to.resource, spec->v1);

    log_event(EVENT_CODE_REFUSED,
              "input=%s tenant=%s why=%s the authorization code was not accepted. Sign in again at %s", spec->label,
              spec->input->tenant_id, QUOTED(err->text), address);
}

/* Recursion: a code that cannot be read counts as refused at once. The code is the last secret, so it ends there.
 * NOLINTBEGIN(misc-no-recursion) */

/* A refused code is remembered as well: it is of no use at the next start either. */
static void exchanged(void *ctx, bool ok, const struct err *err)
{
    struct secret_intake *intake = ctx;

    if (!ok && err->kind != ERR_AUTH) {
        retry_later(intake, err);
        return;
    }
    if (ok)
        log_event(EVENT_SIGNED_IN, "input=%s tenant=%s the authorization code was exchanged for a refresh token",
                  intake->spec.label, intake->spec.input->tenant_id);
    else
        code_refused(intake, err);
    remember(intake);
    finish_secret(intake);
    next_secrets(intake);
}

static void exchange(struct secret_intake *intake)
{
    const struct secret_intake_spec *spec = &intake->spec;
    const struct secret_intake_owner *owner = &intake->owner;
    CLEANUP(mem_free_secretp) char *code = NULL;
    CLEANUP(mem_freep) char *api = binding_api(&spec->to);
    struct err err;

    if (!signin_code(spec->input->authorization_code, &code, &err)) {
        err.kind = ERR_AUTH; /* no later try reads more in it */
        exchanged(intake, false, &err);
        return;
    }
    token_source_exchange(token_source_get(owner->principal(owner->ctx), spec->to.resource, spec->v1, api), code,
                          spec->input->redirect_uri, intake->hosts[SECRET_REFRESH], exchanged, intake);
}

/* One secret after the other. */

/* Stops until a person enters a secret again, which a later look at the store will show. What was stored so far is
 * masked all the same. */
static void hold(struct secret_intake *intake, const struct err *err)
{
    secret_intake_mask(intake);
    intake->held = true;
    intake->held_err = *err;
    intake->owner.held(intake->owner.ctx);
}

/* Returns true if this plaintext was moved into the store before, so that what is stored now counts. The same value is
 * stored again if it comes with hosts that it is not bound to yet. */
static bool was_stored(const struct secret_intake *intake, const char *value)
{
    const struct secret_intake_owner *owner = &intake->owner;
    const char *in_store = secret_stored(intake, intake->at);
    bool same = text_same(in_store, value);
    struct err err;

    if (intake->at == SECRET_CODE)
        return owner->imported(owner->ctx, secret_param_names[intake->at], value);
    if (!in_store || (same && !secret_is_bound(intake, intake->at, &err)))
        return false;
    return intake->at == SECRET_PROXY ? same : owner->imported(owner->ctx, secret_param_names[intake->at], value);
}

/* Returns true if the secret at hand needs neither the store nor the login service. */
static bool is_in_place(struct secret_intake *intake)
{
    const char *value = *secret_plaintext(intake, intake->at);
    struct err err;

    if (value && !was_stored(intake, value))
        return false;
    intake->to_mask[intake->at] = value != NULL;
    if (intake->at == SECRET_PROXY && !secret_is_bound(intake, SECRET_PROXY, &err)) {
        hold(intake, &err); /* whatever comes later needs the proxy */
        return false;
    }
    secret_hand_over_stored(intake, intake->at);
    return true;
}

static void hand_over_all(const struct secret_intake *intake)
{
    secret_hand_over_stored(intake, SECRET_CLIENT);
    secret_hand_over_stored(intake, SECRET_REFRESH);
}

/* The secrets that were entered for the app are in the store. Returns false if the input must not use them. */
static bool gate_is_passed(struct secret_intake *intake)
{
    struct err err;

    if (!secrets_may_sign_in(intake, &err)) {
        hold(intake, &err);
        return false;
    }
    intake->gate_passed = true;
    hand_over_all(intake);
    return true;
}

static void gate_opened(void *ctx)
{
    struct secret_intake *intake = ctx;

    if (gate_is_passed(intake))
        next_secrets(intake);
}

/* Returns false while the work on the secret at hand has to wait for the secrets that other inputs bring. */
static bool passes_gate(struct secret_intake *intake)
{
    struct secret_ticket *ticket = intake->spec.ticket;

    if (intake->at != SECRET_CODE || intake->gate_passed)
        return true;
    if (ticket) {
        ticket->open = gate_opened;
        ticket->ctx = intake;
        if (secret_gate_wait(ticket))
            return false;
    }
    return gate_is_passed(intake);
}

/* Looks once more: a code that was refused has brought no token, so the stored one would be used after all. */
static void end_intake(struct secret_intake *intake)
{
    const struct secret_intake_owner *owner = &intake->owner;
    struct err err;

    if (!secrets_may_sign_in(intake, &err)) {
        hold(intake, &err);
        return;
    }
    hand_over_all(intake);
    owner->done(owner->ctx, intake->changed);
}

static void next_secrets(struct secret_intake *intake)
{
    while (intake->at < SECRET_KINDS && passes_gate(intake) && is_in_place(intake))
        finish_secret(intake);
    if (intake->held || (intake->at == SECRET_CODE && !intake->gate_passed))
        return;
    if (intake->at == SECRET_KINDS)
        end_intake(intake);
    else if (intake->at == SECRET_CODE)
        exchange(intake);
    else
        passwords_store(intake->spec.passwords, intake->names[intake->at], *secret_plaintext(intake, intake->at),
                        intake->hosts[intake->at], stored, intake);
}

/* NOLINTEND(misc-no-recursion) */

static void retry_fire(void *ctx, int64_t now_ms UNUSED)
{
    next_secrets(ctx);
}

void secret_intake_start(struct secret_intake *intake)
{
    next_secrets(intake);
}

/* Masking. */

static void masked(void *ctx, bool ok, const struct err *err)
{
    const struct secret_intake *intake = ctx;
    const struct input *input = intake->spec.input;

    if (!ok)
        log_event(EVENT_NOT_MASKED,
                  "input=%s tenant=%s app=%s why=%s the secret stays readable in the app's inputs.conf",
                  intake->spec.label, input->tenant_id, QUOTED(input->app), QUOTED(err->text));
}

void secret_intake_mask(struct secret_intake *intake)
{
    const struct input *input = intake->spec.input;
    CLEANUP(mem_freep) char *proxy = input->proxy ? proxy_masked(input->proxy) : NULL;
    const char *const masks[SECRET_KINDS] = { proxy, SECRET_MASK, SECRET_MASK, "" };
    const char *list[2 * SECRET_KINDS + 1];
    size_t n = 0;
    int kind;

    for (kind = 0; kind < SECRET_KINDS; kind++) {
        if (!intake->to_mask[kind])
            continue;
        intake->to_mask[kind] = false;
        list[n++] = secret_param_names[kind];
        list[n++] = masks[kind];
    }
    list[n] = NULL;
    if (n)
        data_inputs_edit(intake->spec.data_inputs, input->app, input->name, list, masked, intake);
}

/* Beginning, end, and the store read again. */

struct secret_intake *secret_intake_new(const struct secret_intake_spec *spec, const struct secret_intake_owner *owner)
{
    struct secret_intake *intake = mem_alloc(sizeof(*intake));
    const struct input *input = spec->input;

    *intake = (struct secret_intake){ .spec = *spec, .owner = *owner, .retry = { .fire = retry_fire, .ctx = intake } };
    intake->names[SECRET_PROXY] = secret_name_proxy(input->name);
    intake->names[SECRET_CLIENT] = secret_name_client(input->client_id);
    intake->names[SECRET_REFRESH] = secret_name_refresh(input->tenant_id, input->client_id);
    intake->hosts[SECRET_PROXY] = binding_proxy_hosts(input->proxy);
    intake->hosts[SECRET_CLIENT] = binding_hosts(&spec->to);
    intake->hosts[SECRET_REFRESH] = binding_hosts(&spec->to);
    return intake;
}

void secret_intake_free(struct secret_intake *intake)
{
    int kind;

    if (!intake)
        return;
    timer_cancel(intake->spec.loop, &intake->retry);
    for (kind = 0; kind < SECRET_KINDS; kind++) {
        free(intake->names[kind]);
        free(intake->hosts[kind]);
    }
    free(intake);
}

void secret_intake_refresh(struct secret_intake *intake)
{
    if (intake->held) {
        intake->held = false;
        next_secrets(intake);
    } else if (intake->at == SECRET_KINDS) {
        hand_over_all(intake);
    }
}

const struct err *secret_intake_held(const struct secret_intake *intake)
{
    return intake && intake->held ? &intake->held_err : NULL;
}
