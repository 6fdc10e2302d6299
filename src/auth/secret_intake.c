#include "auth/secret_intake.h"

#include <stdlib.h>

#include "auth/token_source.h"
#include "base/clock.h"
#include "messages/log_events.h"
#include "base/mem.h"
#include "microsoft/signin.h"
#include "splunk/mask.h"
#include "splunk/proxy.h"

#define RETRY_MS 10000

static const char *const param_names[SECRET_KINDS] = { "proxy", "client_secret", "refresh_token",
                                                       "authorization_code" };

struct secret_intake {
    struct secret_intake_spec spec;
    struct secret_intake_owner owner;
    enum secret_kind at;         /* SECRET_KINDS: done */
    char *names[SECRET_KINDS];   /* in the store; the code has none */
    bool to_mask[SECRET_KINDS];  /* readable in inputs.conf */
    bool as_given[SECRET_KINDS]; /* used although the store did not take it */
    bool gate_passed;
    bool changed;
    bool warned; /* of the secret at hand */
    struct timer retry;
};

static void next_secrets(struct secret_intake *intake);

static char **plaintext(const struct secret_intake *intake, enum secret_kind kind)
{
    struct input *input = intake->spec.input;

    switch (kind) {
    case SECRET_PROXY: return &input->proxy_password;
    case SECRET_CLIENT: return &input->client_secret;
    case SECRET_REFRESH: return &input->refresh_token;
    default: return &input->authorization_code;
    }
}

static const char *stored_value(const struct secret_intake *intake, enum secret_kind kind)
{
    return intake->names[kind] ? passwords_get(intake->spec.passwords, intake->names[kind]) : NULL;
}

/* Hands the secret to the part that uses it. A principal that other inputs share keeps what it has if this one has
 * none. */
static void hand_over(struct secret_intake *intake, enum secret_kind kind, const char *value)
{
    const struct secret_intake_owner *owner = &intake->owner;

    switch (kind) {
    case SECRET_PROXY: owner->use_proxy(owner->ctx, intake->spec.input->proxy ? value : NULL); return;
    case SECRET_CLIENT:
        if (value)
            principal_set_secret(owner->principal(owner->ctx), value);
        return;
    case SECRET_REFRESH:
        if (value)
            principal_set_refresh_token(owner->principal(owner->ctx), value);
        return;
    default: return;
    }
}

static void remember(struct secret_intake *intake)
{
    const struct secret_intake_owner *owner = &intake->owner;

    owner->import(owner->ctx, param_names[intake->at], *plaintext(intake, intake->at));
    intake->changed = true;
    intake->to_mask[intake->at] = true;
}

/* Ends the work on one secret: its plaintext is not needed any more. */
static void finish_secret(struct secret_intake *intake)
{
    mem_free_secretp(plaintext(intake, intake->at));
    intake->warned = false;
    intake->at++;
}

/* Plans another try for the secret at hand. */
static void retry_later(struct secret_intake *intake, const struct err *err)
{
    const struct secret_intake_owner *owner = &intake->owner;

    if (!intake->warned)
        log_event(EVENT_SECRET_WAITS, "input=%s tenant=%s parameter=%s why=%s trying again in %d s", intake->spec.label,
                  intake->spec.input->tenant_id, param_names[intake->at], QUOTED(err->text), RETRY_MS / 1000);
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
    hand_over(intake, intake->at, *plaintext(intake, intake->at));
    intake->as_given[intake->at] = !ok;
    if (!ok) {
        log_event(EVENT_SECRET_NOT_STORED,
                  "input=%s tenant=%s parameter=%s why=%s Splunk's password store did not take it, so the one in "
                  "inputs.conf is used",
                  spec->label, spec->input->tenant_id, param_names[intake->at], QUOTED(err->text));
    } else {
        log_event(EVENT_SECRET_STORED, "input=%s tenant=%s parameter=%s moved to Splunk's password store", spec->label,
                  spec->input->tenant_id, param_names[intake->at]);
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
    char *address = signin_address(spec->login_url, spec->input->tenant_id, spec->input->client_id,
                                   spec->input->redirect_uri, spec->resource, spec->v1);

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
    struct err err;

    if (!signin_code(spec->input->authorization_code, &code, &err)) {
        err.kind = ERR_AUTH; /* no later try reads more in it */
        exchanged(intake, false, &err);
        return;
    }
    token_source_exchange(token_source_get(owner->principal(owner->ctx), spec->resource, spec->v1), code,
                          spec->input->redirect_uri, exchanged, intake);
}

/* One secret after the other. */

/* Returns true if the secret at hand needs neither the store nor the login service. */
static bool is_in_place(struct secret_intake *intake)
{
    const struct secret_intake_owner *owner = &intake->owner;
    const char *value = *plaintext(intake, intake->at), *in_store = stored_value(intake, intake->at);

    if (value) {
        if (!owner->imported(owner->ctx, param_names[intake->at], value) || (!in_store && intake->at != SECRET_CODE))
            return false;
        intake->to_mask[intake->at] = true;
    }
    hand_over(intake, intake->at, in_store);
    return true;
}

/* Hands over what the store holds by now. */
static void hand_over_stored(struct secret_intake *intake)
{
    if (!intake->as_given[SECRET_CLIENT])
        hand_over(intake, SECRET_CLIENT, stored_value(intake, SECRET_CLIENT));
    hand_over(intake, SECRET_REFRESH, stored_value(intake, SECRET_REFRESH));
}

static void gate_opened(void *ctx)
{
    struct secret_intake *intake = ctx;

    intake->gate_passed = true;
    hand_over_stored(intake);
    next_secrets(intake);
}

/* Returns false while the work on the secret at hand has to wait for the secrets that other inputs bring. */
static bool passes_gate(struct secret_intake *intake)
{
    struct secret_ticket *ticket = intake->spec.ticket;

    if (intake->at != SECRET_CODE || intake->gate_passed || !ticket)
        return true;
    ticket->open = gate_opened;
    ticket->ctx = intake;
    if (secret_gate_wait(ticket))
        return false;
    intake->gate_passed = true;
    hand_over_stored(intake);
    return true;
}

static void next_secrets(struct secret_intake *intake)
{
    const struct secret_intake_owner *owner = &intake->owner;

    while (intake->at < SECRET_KINDS && passes_gate(intake) && is_in_place(intake))
        finish_secret(intake);
    if (intake->at == SECRET_CODE && intake->spec.ticket && !intake->gate_passed)
        return;
    if (intake->at == SECRET_KINDS)
        owner->done(owner->ctx, intake->changed);
    else if (intake->at == SECRET_CODE)
        exchange(intake);
    else
        passwords_store(intake->spec.passwords, intake->names[intake->at], *plaintext(intake, intake->at), stored,
                        intake);
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
        list[n++] = param_names[kind];
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
    return intake;
}

void secret_intake_free(struct secret_intake *intake)
{
    int kind;

    if (!intake)
        return;
    timer_cancel(intake->spec.loop, &intake->retry);
    for (kind = 0; kind < SECRET_KINDS; kind++)
        free(intake->names[kind]);
    free(intake);
}

void secret_intake_refresh(struct secret_intake *intake)
{
    if (intake->at == SECRET_KINDS)
        hand_over_stored(intake);
}
