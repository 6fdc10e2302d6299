#include "command/trial_sign_in.h"

#include <stdlib.h>

#include "auth/principal.h"
#include "auth/token_source.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/target.h"
#include "messages/diagnosis.h"
#include "pacing/limiter.h"
#include "splunk/passwords.h"
#include "splunk/secret_name.h"

#define REQUESTS_MOST 4
#define WHY_MAX       4096

enum { REACH_TIMEOUT_S = 5 };

struct trial {
    const struct input *input;
    struct target target;
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct rest *rest;
    struct passwords *passwords;
    struct principals *principals;
    struct principal *principal;
    struct token_source *source;
    struct token_listener listener;
    struct timer deadline;
    struct http_route route;
    char *proxy;      /* secret */
    bool at_login;    /* it waits for the sign-in host, no longer for splunkd */
    const char *once; /* why the sign-in itself must not be tried */
    char *remark;     /* splunkd did not answer; NULL: it did */
    enum trial_result result;
    char *why;
};

/* Takes why over. */
static void trial_end(struct trial *trial, enum trial_result result, char *why)
{
    free(trial->why);
    trial->why = why;
    trial->result = result;
    loop_stop(trial->loop);
}

static void deadline_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct trial *trial = ctx;
    struct buf why = BUF_INIT(WHY_MAX);

    if (trial->at_login) {
        buf_add_format(&why, "%s did not answer in time", trial->target.login_url);
        diagnosis_add_advice(&why, DIAGNOSIS_NO_CONNECTION, NULL);
    } else {
        buf_add_text(&why, "splunkd did not answer in time");
    }
    trial_end(trial, TRIAL_NOT_TRIED, buf_take(&why));
}

static void trial_session_lost(void *ctx UNUSED)
{
}

/* Ends the trial when the token is there or refused. */
static void token_changed(void *ctx)
{
    struct trial *trial = ctx;
    struct token_view view;

    switch (token_source_ask(trial->source, clock_ms(), &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_READY: trial_end(trial, TRIAL_ACCEPTED, mem_text(trial->remark)); return;
    case TOKEN_FAILED:
        trial_end(trial, view.err->kind == ERR_AUTH ? TRIAL_REFUSED : TRIAL_NOT_TRIED, mem_text(view.err->text));
        return;
    }
}

static void reached(void *ctx, const struct http_result *result)
{
    struct trial *trial = ctx;
    struct err err;

    if (result->fault == HTTP_DONE) {
        trial_end(trial, TRIAL_LEFT, mem_text(trial->once));
        return;
    }
    http_check(result, &err);
    trial_end(trial, TRIAL_NOT_TRIED, mem_text(err.text));
}

/* Tries the way to the sign-in host in place of the sign-in. */
static void reach_begin(struct trial *trial)
{
    http_start(trial->http, &(struct http_spec){ .url = trial->target.login_url,
                                                 .route = &trial->route,
                                                 .done = reached,
                                                 .ctx = trial,
                                                 .timeout_s = REACH_TIMEOUT_S,
                                                 .connect_only = true });
}

static void sign_in_begin(struct trial *trial, const char *secret)
{
    const struct input *input = trial->input;

    trial->principal = principal_get(trial->principals,
                                     &(struct principal_spec){ .tenant_id = input->tenant_id,
                                                               .client_id = input->client_id,
                                                               .certificate = input->client_certificate,
                                                               .login_url = trial->target.login_url,
                                                               .route = &trial->route });
    trial->source = token_source_get(trial->principal, trial->target.resource, trial->target.api->v1_token, NULL);
    trial->listener = (struct token_listener){ .changed = token_changed, .ctx = trial };
    token_source_listen(trial->source, &trial->listener);
    principal_set_secret(trial->principal, secret, NULL);
    token_changed(trial);
}

/* Returns the stored secret of that name, NULL: none. Takes name over. */
static const char *stored_secret(const struct trial *trial, char *name)
{
    const char *value = passwords_get(trial->passwords, name);

    free(name);
    return value;
}

static char *no_credential(const struct input *input)
{
    CLEANUP(mem_freep) char *address = target_sign_in_address(input);

    return mem_format("client_secret is empty and none is stored for client_id %s; enter the client secret, or "
                      "client_certificate. Or let a user sign in: " TRIAL_HOW,
                      input->client_id, address);
}

/* Returns why the sign-in must not be tried, NULL: it may be. */
static const char *works_once(const struct trial *trial)
{
    const struct input *input = trial->input;

    if (input->refresh_token)
        return "a refresh token can be used only once";
    if (input->authorization_code)
        return "an authorization code can be used only once";
    if (stored_secret(trial, secret_name_refresh(input->tenant_id, input->client_id)))
        return "a refresh token is stored for this tenant and app, and trying it would use it up";
    return NULL;
}

/* Goes on after the password store was read, or could not be: a secret that was typed can be tried all the same. */
static void trial_loaded(void *ctx, bool ok, const struct err *err)
{
    struct trial *trial = ctx;
    const struct input *input = trial->input;
    struct destination to = target_destination(&trial->target);
    const char *secret = input->client_secret;
    struct err why;

    if (!binding_allows_input(trial->passwords, input, &to, &why)) {
        trial_end(trial, TRIAL_REFUSED, mem_text(why.text));
        return;
    }
    trial->proxy = target_proxy(input, stored_secret(trial, secret_name_proxy(input->name)));
    trial->route = (struct http_route){ .ca_file = input->ca_file, .proxy = trial->proxy };
    if (!ok && err->kind == ERR_RETRY)
        trial->remark = mem_text(err->text);
    trial->once = works_once(trial);
    trial->at_login = true;
    if (!secret)
        secret = stored_secret(trial, secret_name_client(input->client_id));
    if (trial->once)
        reach_begin(trial);
    else if (input->client_certificate || secret)
        sign_in_begin(trial, secret);
    else if (ok)
        trial_end(trial, TRIAL_REFUSED, no_credential(input));
    else
        trial_end(trial, TRIAL_NOT_TRIED, mem_text(err->text));
}

static void trial_open(struct trial *trial, const struct config *config)
{
    target_of(trial->input, &trial->target);
    trial->loop = loop_new();
    trial->http = http_new(trial->loop);
    trial->limiter = limiter_new(trial->loop, REQUESTS_MOST, REQUESTS_MOST);
    trial->rest = rest_new(trial->loop, trial->http, config->server_uri, config->session_key, getenv("SPLUNK_HOME"));
    trial->passwords = passwords_new(trial->rest);
    trial->principals = principals_new(trial->loop, trial->http, trial->limiter, NULL, trial_session_lost, NULL);
    trial->deadline = (struct timer){ .fire = deadline_fired, .ctx = trial };
}

static void trial_close(struct trial *trial)
{
    timer_cancel(trial->loop, &trial->deadline);
    principals_free(trial->principals);
    passwords_free(trial->passwords);
    rest_free(trial->rest);
    http_free(trial->http);
    limiter_free(trial->limiter);
    loop_free(trial->loop);
    mem_free_secret(trial->proxy);
    free(trial->remark);
}

enum trial_result trial_sign_in(const struct input *input, const struct config *config, int splunkd_most_s,
                                int64_t most_ms, char **ret_why)
{
    struct trial trial = { .input = input };

    trial_open(&trial, config);
    rest_hurry(trial.rest, splunkd_most_s);
    timer_set(trial.loop, &trial.deadline, clock_ms() + most_ms);
    if (text_empty(config->session_key) || text_empty(config->server_uri))
        trial_loaded(&trial, false, &(struct err){ .kind = ERR_RETRY, .text = "splunkd gave no session key" });
    else
        passwords_load(trial.passwords, trial_loaded, &trial);
    loop_run(trial.loop);
    trial_close(&trial);
    *ret_why = trial.why;
    return trial.result;
}
