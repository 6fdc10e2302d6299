#include "command/check_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "collect/target.h"
#include "command/check_look.h"
#include "microsoft/refusal.h"
#include "splunk/secret_name.h"

#define MOST_MS 9500 /* at most ten seconds for each input */

struct row {
    const struct row_context *context;
    char *label;
    struct input input;
    struct target target;
    struct endpoint *login, *service;
    struct principal *principal;
    struct token_source *source;
    struct token_listener listener;
    bool begun, finished, has_principal;
    struct timer deadline;
    struct look *look;
    struct outcome outcome;
};

/* The end of a row. */

static void row_end(struct row *row, enum check_result result)
{
    row->finished = true;
    row->outcome.result = result;
    timer_cancel(row->context->loop, &row->deadline);
    row->context->finished(row->context->ctx);
}

static void row_fail(struct row *row, enum check_result result, const struct err *err)
{
    row->outcome.err = *err;
    row_end(row, result);
}

static void row_deadline_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct row *row = ctx;
    const char *what = !row->login->found.done || !row->service->found.done ? "the connection to"
                       : !row->outcome.has_token                            ? "a token from"
                                                                            : "alerts from";
    bool at_login = !row->outcome.has_token && row->service->found.done;
    struct err err;

    look_free(row->look);
    row->look = NULL;
    err_set(&err, ERR_RETRY, "no answer within 10 s, waiting for %s %s", what,
            at_login ? row->target.login_url : row->target.base_url);
    row_fail(row, CHECK_FAILING, &err);
}

/* The newest alert. */

static enum diagnosis diagnosis_of_refusal(const struct row *row, const struct http_result *result)
{
    switch (result->status) {
    case 400: return row->input.filter ? DIAGNOSIS_HTTP_400_FILTER : DIAGNOSIS_HTTP_400;
    case 401: return DIAGNOSIS_HTTP_401;
    case 403: return row->outcome.lacks_permission ? DIAGNOSIS_PERMISSION : DIAGNOSIS_HTTP_403;
    default: return DIAGNOSIS_HTTP_4XX;
    }
}

/* Notes what a person would wonder about later: nothing comes before start_time, or nothing came for long. */
static void note_silence(struct row *row)
{
    const struct start_time *start = &row->input.start_time;
    const struct look_found *newest = &row->outcome.newest;
    char from[TICKS_TEXT_MAX];

    ticks_text_digits(start->time, 0, from);
    if (!start->relative && start->time > newest->service_now)
        snprintf(row->outcome.note, sizeof(row->outcome.note),
                 "start_time is in the future: no alert is written before %s.", from);
    else if (!newest->has_newest)
        snprintf(row->outcome.note, sizeof(row->outcome.note),
                 "No alert in %d days: check that the tenant has Defender%s.", newest->looked_back_h / 24,
                 row->input.filter ? ", and the filter" : "");
}

static void row_looked(void *ctx, enum look_end end, const struct look_found *found, const struct http_result *result,
                       const struct err *err)
{
    struct row *row = ctx;
    struct err refusal;

    if (end == LOOK_FAILED) {
        row_fail(row, CHECK_FAILING, err);
        return;
    }
    if (end == LOOK_REFUSED) {
        refusal_set(result, diagnosis_of_refusal(row, result),
                    result->status == 403 ? row->target.api->permission : NULL, &refusal);
        row_fail(row, CHECK_REFUSED, &refusal);
        return;
    }
    row->outcome.newest = *found;
    note_silence(row);
    row->outcome.lacks_permission = false; /* the service has accepted the token */
    row_end(row, CHECK_OK);
}

static void row_look(struct row *row, const char *authorization)
{
    row->look = look_start(&(struct look_spec){ .http = row->context->http,
                                                .route = &row->service->route,
                                                .api = row->target.api,
                                                .base = row->target.base_url,
                                                .filter = row->input.filter,
                                                .authorization = authorization,
                                                .clock_offset_ms = row->outcome.has_clock ? row->outcome.clock_offset_ms
                                                                                          : 0 },
                           row_looked, row);
}

/* Tokens. */

static bool row_not_tried(struct row *row, const char *why)
{
    struct err err;

    err_set(&err, ERR_AUTH, "the sign-in was not tried: %s", why);
    row_fail(row, CHECK_NOT_TRIED, &err);
    return false;
}

/* Sets the stored refresh token once it may be used. Returns false if it may not yet, or the row has ended. */
static bool refresh_ready(struct row *row, bool *delegated)
{
    CLEANUP(mem_freep) char *name = secret_name_refresh(row->input.tenant_id, row->input.client_id);
    const char *stored = check_store_secret(row->context->store, name);
    struct destination to = target_destination(&row->target);
    CLEANUP(mem_freep) char *why = NULL;
    struct err err;

    *delegated = false;
    if (stored && !binding_allows(check_store_passwords(row->context->store), "refresh_token", name, &to, &err)) {
        row_fail(row, CHECK_REFUSED, &err);
        return false;
    }
    if (!stored && row->input.refresh_token)
        return row_not_tried(row, "the refresh token is still in inputs.conf, so its successor could not be stored; "
                                  "the running input moves it to Splunk's password store first");
    if (!stored)
        return true;
    switch (check_store_prove(row->context->store, name, stored, &err)) {
    case PROOF_WAIT: return false;
    case PROOF_FAILED:
        why = mem_format("a refresh token is stored, but its successor could not be: %s", err.text);
        return row_not_tried(row, why);
    case PROOF_OK: break;
    }
    principal_set_refresh_token(row->principal, check_store_secret(row->context->store, name),
                                passwords_hosts(check_store_passwords(row->context->store), name));
    return *delegated = true;
}

static void row_token_changed(void *ctx)
{
    row_step(ctx);
}

static void principal_begin(struct row *row)
{
    const struct input *input = &row->input;
    CLEANUP(mem_freep) char *name = secret_name_client(input->client_id);
    const struct passwords *passwords = check_store_passwords(row->context->store);
    const char *secret = input->client_secret ? input->client_secret : check_store_secret(row->context->store, name);
    struct destination to = target_destination(&row->target);
    CLEANUP(mem_freep) char *api = binding_api(&to);
    CLEANUP(mem_freep) char *hosts = binding_hosts(&to); /* of a secret in the stanza */

    row->principal = principal_get(row->context->principals,
                                   &(struct principal_spec){ .tenant_id = input->tenant_id,
                                                             .client_id = input->client_id,
                                                             .login_url = row->target.login_url,
                                                             .certificate = input->client_certificate,
                                                             .route = &row->login->route });
    if (secret)
        principal_set_secret(row->principal, secret, input->client_secret ? hosts : passwords_hosts(passwords, name));
    row->source = token_source_get(row->principal, row->target.resource, row->target.api->v1_token, api);
    row->listener = (struct token_listener){ .changed = row_token_changed, .ctx = row };
    token_source_listen(row->source, &row->listener);
}

/* Sets the credentials of the principal. Returns false if it is too early, or the row has ended. */
static bool principal_ready(struct row *row)
{
    struct destination to = target_destination(&row->target);
    struct err err;
    bool delegated;

    if (row->has_principal)
        return true;
    if (!binding_allows_input(check_store_passwords(row->context->store), &row->input, &to, &err)) {
        row_fail(row, CHECK_REFUSED, &err);
        return false;
    }
    if (!row->principal)
        principal_begin(row);
    if (!refresh_ready(row, &delegated))
        return false;
    if (!delegated && row->input.client_certificate && !binding_allows_certificate(&to, &err)) {
        row_fail(row, CHECK_REFUSED, &err);
        return false;
    }
    if (!delegated && !row->input.client_secret && !row->input.client_certificate &&
        !check_store_known(row->context->store, &err))
        return row_not_tried(row, err.text);
    return row->has_principal = true;
}

static void row_take_token(struct row *row, const struct token_view *view)
{
    row->outcome.has_token = true;
    claims_read(view->authorization, &row->outcome.claims);
    row->outcome.lacks_permission = row->target.api->permissions && row->outcome.claims.readable &&
                                    !claims_hold(&row->outcome.claims, row->target.api->permissions);
    row->outcome.has_days = principal_certificate_days(row->principal, &row->outcome.certificate_days);
}

/* The steps. */

static void row_take_clock(struct row *row)
{
    const struct endpoint *endpoint = row->service->has_clock ? row->service : row->login;

    row->outcome.has_clock = endpoint->has_clock;
    row->outcome.clock_offset_ms = endpoint->clock_offset_ms;
}

static bool endpoints_passed(struct row *row)
{
    struct err err;

    if (!endpoint_failed(row->login, &err) && !endpoint_failed(row->service, &err))
        return true;
    row_fail(row, CHECK_UNREACHABLE, &err);
    return false;
}

void row_step(struct row *row)
{
    struct token_view view;

    if (!row->begun || row->finished || row->look || !row->login->found.done || !row->service->found.done)
        return;
    row_take_clock(row);
    if (!endpoints_passed(row) || !principal_ready(row))
        return;
    switch (token_source_ask(row->source, clock_ms(), &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_FAILED: row_fail(row, view.err->kind == ERR_AUTH ? CHECK_REFUSED : CHECK_FAILING, view.err); return;
    case TOKEN_READY:
        row_take_token(row, &view);
        row_look(row, view.authorization);
        return;
    }
}

void row_begin(struct row *row)
{
    const struct row_context *context = row->context;
    const struct input *input = &row->input;
    CLEANUP(mem_freep) char *name = secret_name_proxy(input->name);
    CLEANUP(mem_free_secretp) char *proxy = NULL;
    struct err err;

    row->begun = true;
    if (!input->proxy_password && !binding_allows_proxy(check_store_passwords(context->store), input, &err)) {
        row_fail(row, CHECK_REFUSED, &err);
        return;
    }
    proxy = target_proxy(input, check_store_secret(context->store, name));
    row->login = endpoints_get(context->endpoints, row->target.login_url, input->ca_file, proxy);
    row->service = endpoints_get(context->endpoints, row->target.base_url, input->ca_file, proxy);
    row->outcome.login = &row->login->found;
    row->outcome.service = &row->service->found;
    timer_set(context->loop, &row->deadline, clock_ms() + MOST_MS);
    row_step(row);
}

static void describe_input(struct row *row)
{
    row->outcome.tenant_id = row->input.tenant_id;
    row->outcome.client_id = row->input.client_id;
    row->outcome.api = row->target.api->name;
    row->outcome.permission = row->target.api->permission;
}

struct row *row_new(const struct row_context *context, const struct raw_stanza *stanza)
{
    struct row *row = mem_alloc(sizeof(*row));

    row->context = context;
    row->label = mem_text(stanza_input_name(stanza));
    row->outcome.input = row->label;
    row->deadline = (struct timer){ .fire = row_deadline_fired, .ctx = row };
    if (input_from_stanza(stanza, true, &row->input, &row->outcome.err)) {
        target_of(&row->input, &row->target);
        describe_input(row);
    } else {
        row->finished = true;
        row->outcome.result = CHECK_BAD_INPUT;
    }
    return row;
}

void row_free(struct row *row)
{
    if (!row)
        return;
    look_free(row->look);
    claims_release(&row->outcome.claims);
    input_free(&row->input);
    free(row->label);
    free(row);
}

bool row_is_finished(const struct row *row)
{
    return row->finished;
}

const struct outcome *row_outcome(const struct row *row)
{
    return &row->outcome;
}

void row_add_note(struct row *row, const char *sentence)
{
    char *note = row->outcome.note;
    size_t len = strlen(note), size = sizeof(row->outcome.note);
    size_t start = len ? len + 1 : 0;

    snprintf(note + len, size - len, "%s%s.", len ? " " : "", sentence);
    if (start < size && note[start] >= 'a' && note[start] <= 'z')
        note[start] = (char)(note[start] - 'a' + 'A');
    utf8_end_whole(note);
}
