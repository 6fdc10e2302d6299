/* One customer: is there a consent yet, and the input. */
#include "command/consent_watch_private.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "command/token_once.h"
#include "microsoft/aad.h"
#include "microsoft/claims.h"
#include "splunk/secret_name.h"

enum {
    OFTEN = 10, /* tries of a customer with the shortest pause */
    PAUSE_LEAST_MS = 60 * 1000,
    PAUSE_MOST_MS = 15 * 60 * 1000
};

/* Decisions. */

bool consent_is_missing(const struct err *err)
{
    static const int codes[] = { 700016, 7000229, 500011, 50001, 7000112 };
    int code = aad_code_in(err);
    size_t i;

    if (err->kind != ERR_AUTH)
        return false;
    for (i = 0; i < COUNT_OF(codes); i++)
        if (code == codes[i])
            return true;
    return err->responsible == ACT_CUSTOMER;
}

int64_t consent_pause_ms(int tries, size_t count, int64_t asked_ms, uint32_t random)
{
    int64_t pause_ms = PAUSE_LEAST_MS, turn_ms = (int64_t)count * CONSENT_EACH_MS;

    while (tries-- > OFTEN && pause_ms < PAUSE_MOST_MS)
        pause_ms *= 2;
    pause_ms = pause_ms > PAUSE_MOST_MS ? PAUSE_MOST_MS : pause_ms;
    pause_ms = pause_ms < turn_ms ? turn_ms : pause_ms;
    pause_ms = pause_ms < asked_ms ? asked_ms : pause_ms;
    return pause_ms + (int64_t)((uint64_t)(pause_ms / 4) * random / UINT32_MAX);
}

/* The customer. */

bool watched_is_open(const struct watched *each)
{
    return each->customer->state != CUSTOMER_DONE && each->customer->state != CUSTOMER_REFUSED;
}

bool watched_is_delegated(const struct watched *each)
{
    const struct input *input = &each->customer->row->input;
    CLEANUP(mem_freep) char *name = secret_name_refresh(input->tenant_id, input->client_id);

    return input->refresh_token || passwords_get(each->watch->spec->passwords, name);
}

void watched_set(struct watched *each, enum customer_state state, const char *why)
{
    each->customer->state = state;
    snprintf(each->customer->why, sizeof(each->customer->why), "%s", why);
}

static void wait_more(struct watched *each, enum customer_state state, const struct err *err)
{
    int64_t asked_ms = err->kind == ERR_RETRY ? err->wait_ms : 0;

    watched_set(each, state, err->text);
    each->customer->due_ms = clock_ms() +
                             consent_pause_ms(each->tries, each->watch->waiting, asked_ms, random_below(UINT32_MAX));
}

static void sent(void *ctx, bool ok, const struct err *err)
{
    struct import_row *row = ctx;
    struct consents *watch = row->ctx;
    struct watched *each = &watch->list[row - watch->spec->rows->list];

    each->sending = false;
    watch->sending--;
    if (ok)
        watched_set(each, CUSTOMER_DONE, "");
    else if (err->kind == ERR_AUTH)
        consents_fail(watch, err);
    else
        wait_more(each, CUSTOMER_IN_TROUBLE, err);
    if (!ok)
        watch->list_due_ms = clock_ms(); /* somebody else may have created it meanwhile */
    consents_changed(watch);
}

void watched_send(struct watched *each)
{
    struct import_row *row = each->customer->row;

    each->sending = import_send_row(row, each->watch->spec->inputs, sent);
    if (each->sending)
        each->watch->sending++;
    else
        watched_set(each, row->action == ACTION_REFUSED ? CUSTOMER_REFUSED : CUSTOMER_DONE, "");
}

/* Judges a token: Entra issues one without permissions, too. Returns true if it has the one that is needed. */
static bool has_permission(const struct watched *each, const char *authorization)
{
    const char *permissions = each->customer->target.api->permissions;
    struct claims claims;
    bool ok;

    claims_read(authorization, &claims);
    ok = !permissions || !claims.readable || claims_hold(&claims, permissions);
    claims_release(&claims);
    return ok;
}

static void take_token(struct watched *each, const struct token_view *view)
{
    struct err err;

    if (has_permission(each, view->authorization)) {
        watched_set(each, CUSTOMER_CONSENTED, "");
        return;
    }
    each->token = view->token;
    err_set(&err, ERR_AUTH, "the app can sign in, but %s has not been consented to",
            each->customer->target.api->permission);
    wait_more(each, CUSTOMER_WAITS, &err);
}

static void token_changed(void *ctx)
{
    struct watched *each = ctx;
    struct token_view view;

    if (!each->trying)
        return;
    switch (token_source_ask(each->source, clock_ms(), &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_READY: take_token(each, &view); break;
    case TOKEN_FAILED:
        wait_more(each, consent_is_missing(view.err) ? CUSTOMER_WAITS : CUSTOMER_IN_TROUBLE, view.err);
        break;
    }
    each->trying = false;
    each->watch->trying--;
    consents_changed(each->watch);
}

/* Signs in as the input would. */
static void prepare(struct watched *each)
{
    const struct watch_spec *spec = each->watch->spec;
    const struct input *input = &each->customer->row->input;
    CLEANUP(mem_freep) char *password = secret_name_proxy(input->name);
    struct destination to = target_destination(&each->customer->target);

    each->proxy = target_proxy(input, passwords_get(spec->passwords, password));
    each->route = (struct http_route){ .ca_file = input->ca_file, .proxy = each->proxy };
    each->listener = (struct token_listener){ .changed = token_changed, .ctx = each };
    each->source = token_once(&(struct token_once_spec){ .principals = each->watch->principals,
                                                         .passwords = spec->passwords,
                                                         .input = input,
                                                         .to = &to,
                                                         .v1 = each->customer->target.api->v1_token,
                                                         .route = &each->route },
                              &each->listener);
}

/* Refuses a row whose addresses the app's secret may not go to. Returns false if it does. */
static bool may_try(struct watched *each)
{
    struct destination to = target_destination(&each->customer->target);
    struct err err;

    if (binding_allows_input(each->watch->spec->passwords, &each->customer->row->input, &to, &err))
        return true;
    import_refuse(each->customer->row, &err);
    watched_set(each, CUSTOMER_REFUSED, "");
    return false;
}

void watched_try(struct watched *each)
{
    each->tries++;
    if (watched_is_delegated(each)) { /* splunkd did not take the input; nothing else is to be tried */
        watched_set(each, CUSTOMER_CONSENTED, "");
        return;
    }
    if (!each->source && !may_try(each))
        return;
    if (!each->source)
        prepare(each);
    token_source_forgive(each->source);
    if (each->token)
        token_source_refetch(each->source, each->token);
    each->trying = true;
    each->watch->trying++;
    token_changed(each);
}
