#include "command/trial_sign_in.h"

#include <stdlib.h>

#include "auth/token_source.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/target.h"
#include "command/check_look.h"
#include "command/once.h"
#include "command/saved_input.h"
#include "command/token_once.h"
#include "messages/diagnosis.h"
#include "microsoft/claims.h"
#include "microsoft/refusal.h"
#include "splunk/secret_name.h"

#define REQUESTS_MOST 4
#define WHY_MAX       4096

enum { REACH_TIMEOUT_S = 5, AGAIN_MS = 1500 };

struct trial {
    const struct input *input;
    struct target target;
    struct once once;
    struct token_source *source;
    struct token_listener listener;
    struct look *look;
    bool lacks_permission, asked_twice;
    struct timer again; /* asks once more for the record */
    struct timer deadline;
    struct http_route route;
    char *proxy;           /* secret */
    const char *waits_for; /* the host; NULL: splunkd */
    const char *not_again; /* why the sign-in itself must not be tried */
    bool unchanged;        /* nothing that it depends on is being changed */
    char *remark;          /* splunkd did not answer; NULL: it did */
    struct trial_outcome outcome;
};

/* Takes why over. */
static void trial_end(struct trial *trial, enum trial_result result, char *why)
{
    free(trial->outcome.why);
    trial->outcome.why = why;
    trial->outcome.result = result;
    loop_stop(trial->once.loop);
}

static void deadline_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct trial *trial = ctx;
    struct buf why = BUF_INIT(WHY_MAX);

    if (trial->waits_for) {
        buf_add_format(&why, "%s did not answer in time", trial->waits_for);
        diagnosis_add_advice(&why, DIAGNOSIS_NO_CONNECTION, NULL);
    } else {
        buf_add_text(&why, "splunkd did not answer in time");
    }
    trial_end(trial, TRIAL_NOT_TRIED, buf_take(&why));
}

/* Returns true if the input's proxy has no such name, or nobody listens there that speaks like one. A timeout may
 * pass. */
static bool proxy_is_absent(const struct trial *trial, const struct http_result *result)
{
    return trial->input->proxy && result->diagnosis == DIAGNOSIS_PROXY_DEAD && result->fault != HTTP_TIMEOUT;
}

/* Ends the trial after a request that failed. so_far: what worked before, "" if nothing did. */
static void trial_fail(struct trial *trial, const struct http_result *result, const char *so_far, const struct err *err)
{
    if (proxy_is_absent(trial, result))
        trial_end(
            trial, TRIAL_REFUSED,
            mem_format("%sproxy is '%s', but no proxy answers there; it should be http://[user:password@]host:port "
                       "of a proxy that this host can reach: %s",
                       so_far, trial->input->proxy, result->reason));
    else
        trial_end(trial, result->definite ? TRIAL_REFUSED : TRIAL_NOT_TRIED, mem_format("%s%s", so_far, err->text));
}

/* One record. */

static enum diagnosis diagnosis_of_refusal(const struct trial *trial, int status)
{
    switch (status) {
    case 400: return trial->input->filter ? DIAGNOSIS_HTTP_400_FILTER : DIAGNOSIS_HTTP_400;
    case 401: return DIAGNOSIS_HTTP_401;
    case 403: return trial->lacks_permission ? DIAGNOSIS_PERMISSION : DIAGNOSIS_HTTP_403;
    default: return DIAGNOSIS_HTTP_4XX;
    }
}

/* Returns true for a refusal that may pass in seconds, as after a consent, and was not met before. What the token lacks
 * does not pass. */
static bool may_pass(const struct trial *trial, int status)
{
    return !trial->asked_twice && !trial->lacks_permission && (status == 401 || status == 403 || status == 404);
}

static void looked(void *ctx, enum look_end end, const struct look_found *found UNUSED,
                   const struct http_result *result, const struct err *err)
{
    struct trial *trial = ctx;
    struct err refusal;

    switch (end) {
    case LOOK_DONE: trial_end(trial, TRIAL_ACCEPTED, mem_text(trial->remark)); return;
    case LOOK_REFUSED:
        if (may_pass(trial, result->status)) {
            timer_set(trial->once.loop, &trial->again, clock_ms() + AGAIN_MS);
            return;
        }
        refusal_set(result, diagnosis_of_refusal(trial, result->status),
                    result->status == 403 ? trial->target.api->permission : NULL, &refusal);
        trial_end(trial, TRIAL_REFUSED, mem_format("the sign-in works, but the alerts are refused: %s", refusal.text));
        return;
    case LOOK_FAILED:
        trial_fail(trial, result, "the sign-in works, but the alerts could not be asked for: ", err);
        return;
    }
}

static void look_begin(struct trial *trial, const char *authorization)
{
    const char *permissions = trial->target.api->permissions;
    struct claims claims;

    claims_read(authorization, &claims);
    trial->lacks_permission = permissions && claims.readable && !claims_hold(&claims, permissions);
    free(trial->outcome.tenant);
    trial->outcome.tenant = mem_text(claims.tenant);
    claims_release(&claims);
    trial->waits_for = trial->target.base_url;
    trial->look = look_start(&(struct look_spec){ .http = trial->once.http,
                                                  .route = &trial->route,
                                                  .api = trial->target.api,
                                                  .base = trial->target.base_url,
                                                  .filter = trial->input->filter,
                                                  .authorization = authorization,
                                                  .one_record = true },
                             looked, trial);
}

/* The sign-in. */

static void token_changed(void *ctx)
{
    struct trial *trial = ctx;
    struct token_view view;

    if (trial->look)
        return;
    switch (token_source_ask(trial->source, clock_ms(), &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_READY: look_begin(trial, view.authorization); return;
    case TOKEN_FAILED:
        trial_end(trial, view.err->kind == ERR_AUTH ? TRIAL_REFUSED : TRIAL_NOT_TRIED, mem_text(view.err->text));
        return;
    }
}

static void again_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct trial *trial = ctx;

    trial->asked_twice = true;
    look_free(trial->look);
    trial->look = NULL;
    token_changed(trial);
}

/* Returns the stored secret of that name, NULL: none. Takes name over. */
static const char *stored_secret(const struct trial *trial, char *name)
{
    const char *value = passwords_get(trial->once.passwords, name);

    free(name);
    return value;
}

static char *no_credential(const struct input *input)
{
    CLEANUP(mem_freep) char *address = target_sign_in_address(input);

    return mem_format("client_secret is empty and none is stored for client_id %s; enter the client secret, or "
                      "client_certificate or client_assertion. Or let a user sign in: " TRIAL_HOW,
                      input->client_id, address);
}

static void sign_in_begin(struct trial *trial)
{
    struct destination to = target_destination(&trial->target);

    trial->listener = (struct token_listener){ .changed = token_changed, .ctx = trial };
    trial->source = token_once(&(struct token_once_spec){ .principals = trial->once.principals,
                                                          .input = trial->input,
                                                          .to = &to,
                                                          .v1 = trial->target.api->v1_token,
                                                          .route = &trial->route,
                                                          .passwords = trial->once.passwords },
                               &trial->listener);
    token_changed(trial);
}

static void reached(void *ctx, const struct http_result *result)
{
    struct trial *trial = ctx;
    struct err err;

    if (result->fault == HTTP_DONE && (trial->not_again || trial->unchanged)) {
        trial_end(trial, TRIAL_LEFT, trial->not_again ? mem_text(trial->not_again) : NULL);
    } else if (result->fault == HTTP_DONE) {
        sign_in_begin(trial);
    } else {
        http_check(result, &err);
        trial_fail(trial, result, "", &err);
    }
}

/* Tries the way to the sign-in host: its failure tells whose fault it is. */
static void reach_begin(struct trial *trial)
{
    trial->waits_for = trial->target.login_url;
    http_start(trial->once.http, &(struct http_spec){ .url = trial->target.login_url,
                                                      .route = &trial->route,
                                                      .done = reached,
                                                      .ctx = trial,
                                                      .timeout_s = REACH_TIMEOUT_S,
                                                      .connect_only = true });
}

static bool has_credential(const struct trial *trial)
{
    const struct input *input = trial->input;

    return input->client_certificate || input->client_assertion || input->client_secret || input->refresh_token ||
           input->authorization_code || stored_secret(trial, secret_name_client(input->client_id)) ||
           stored_secret(trial, secret_name_refresh(input->tenant_id, input->client_id));
}

/* Returns true if the sign-in would redeem the stored refresh token. */
static bool redeems_stored(const struct trial *trial)
{
    const struct input *input = trial->input;

    return !input->refresh_token && !input->authorization_code &&
           stored_secret(trial, secret_name_refresh(input->tenant_id, input->client_id));
}

/* Goes on after splunkd has listed its inputs. The running input may redeem the stored refresh token at this moment,
 * and masks a secret by saving the input: the token is left alone unless the sign-in is being changed. */
static void inputs_listed(void *ctx, bool ok, const cJSON *list, const struct err *err UNUSED)
{
    struct trial *trial = ctx;

    trial->unchanged = ok && saved_input_is_same(list, trial->input);
    reach_begin(trial);
}

/* Goes on after the password store was read, or could not be: a secret that was typed can be tried all the same. */
static void trial_loaded(void *ctx, bool ok, const struct err *err)
{
    struct trial *trial = ctx;
    const struct input *input = trial->input;
    struct destination to = target_destination(&trial->target);
    struct err why;

    if (!binding_allows_input(trial->once.passwords, input, &to, &why)) {
        trial_end(trial, TRIAL_UNBOUND, mem_text(why.text));
        return;
    }
    trial->proxy = target_proxy(input, stored_secret(trial, secret_name_proxy(input->name)));
    trial->route = (struct http_route){ .ca_file = input->ca_file, .proxy = trial->proxy };
    if (!ok && err->kind == ERR_RETRY)
        trial->remark = mem_text(err->text);
    trial->not_again = input->authorization_code ? "an authorization code can be used only once" : NULL;
    if (redeems_stored(trial))
        data_inputs_list(trial->once.inputs, inputs_listed, trial);
    else if (has_credential(trial))
        reach_begin(trial);
    else if (ok)
        trial_end(trial, TRIAL_REFUSED, no_credential(input));
    else
        trial_end(trial, TRIAL_NOT_TRIED, mem_text(err->text));
}

static void trial_open(struct trial *trial, const struct config *config, int splunkd_most_s)
{
    target_of(trial->input, &trial->target);
    once_open(&trial->once, config->server_uri, config->session_key, splunkd_most_s, REQUESTS_MOST);
    trial->deadline = (struct timer){ .fire = deadline_fired, .ctx = trial };
    trial->again = (struct timer){ .fire = again_fired, .ctx = trial };
}

static void trial_close(struct trial *trial)
{
    timer_cancel(trial->once.loop, &trial->deadline);
    timer_cancel(trial->once.loop, &trial->again);
    look_free(trial->look);
    once_close(&trial->once);
    mem_free_secret(trial->proxy);
    free(trial->remark);
}

struct trial_outcome trial_sign_in(const struct input *input, const struct config *config, int splunkd_most_s,
                                   int64_t most_ms)
{
    struct trial trial = { .input = input };

    trial_open(&trial, config, splunkd_most_s);
    timer_set(trial.once.loop, &trial.deadline, clock_ms() + most_ms);
    if (text_empty(config->session_key) || text_empty(config->server_uri))
        trial_loaded(&trial, false, &(struct err){ .kind = ERR_RETRY, .text = "splunkd gave no session key" });
    else
        passwords_load(trial.once.passwords, trial_loaded, &trial);
    loop_run(trial.once.loop);
    trial_close(&trial);
    return trial.outcome;
}

void trial_outcome_release(struct trial_outcome *outcome)
{
    free(outcome->why);
    free(outcome->tenant);
}
