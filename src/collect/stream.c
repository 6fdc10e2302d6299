#include "collect/stream.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "auth/principal.h"
#include "collect/collector.h"
#include "net/http.h"
#include "collect/services.h"
#include "messages/log_events.h"
#include "microsoft/signin.h"
#include "splunk/proxy.h"
#include "splunk/validate.h"

#define BAD_START_MS      3000      /* splunkd starts a process that ended at once again at once: keep the loop slow */
#define VALIDATE_MOST_MS  8000      /* of the ten seconds, with some left for the way in and out */

/* Until the loop is there to wake, there is nothing to save either. */
static void leave(int number UNUSED)
{
    _exit(0);
}

static void leave_on_signals(void)
{
    struct sigaction action = { .sa_handler = leave };

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

static int bad_start(const struct err *err, int64_t began_ms)
{
    int64_t left_ms = BAD_START_MS - (clock_ms() - began_ms);

    log_event(EVENT_BAD_START, "%s", err->text);
    if (left_ms > 0)
        usleep((useconds_t)left_ms * 1000);
    return 1;
}

int stream_run(void)
{
    int64_t began_ms = clock_ms();
    struct config config;
    struct collector *col;
    struct loop *loop;
    struct err err;

    leave_on_signals();
    if (!config_read(STDIN_FILENO, CONFIG_INPUT, &config, &err))
        return bad_start(&err, began_ms);
    if (!config.count) {
        config_free(&config);
        return 0;
    }
    loop = loop_new();
    loop_catch_signals(loop);
    col = collector_new(loop, &config, STDOUT_FILENO);
    config_free(&config);
    collector_run(col);
    collector_free(col);
    loop_free(loop);
    return 0;
}

/* Validation asks the token endpoint with what was typed, or with the stored secret that is meant. */
struct trial {
    struct loop     *loop;
    struct http     *http;
    struct limiter     *limiter;
    struct splunkd  *splunkd;
    struct principals *principals;
    struct principal  *principal;
    struct token_source   *source;
    struct token_listener listener;
    struct timer     deadline;
    struct input     input;
    struct http_route route;
    const struct api *api;
    char            *proxy;
    bool             refused;
    char            *sentence;  /* why, when it is longer than an err; NULL: err says it */
    struct err       err;
};

/* How a person signs in from the inputs page: it has no state of ours, so the address needs none either. */
#define SIGN_IN_HOW "open %s and sign in; the sign-in ends on a page that does not load; copy its whole address into " \
                    "authorization_code and save again within ten minutes"

static char *address_of(const struct input *input)
{
    return signin_address(service_login_url(input), input->tenant_id, input->client_id, input->redirect_uri,
                          service_resource(input), api_at(input->api)->v1_token);
}

static void not_tried(struct trial *trial, const char *why)
{
    CLEANUP(mem_freep) char *label = input_label(trial->input.name);

    log_event(EVENT_NOT_TRIED, "input=%s tenant=%s the sign-in could not be tried while saving: %s", label,
              trial->input.tenant_id, why);
    loop_stop(trial->loop);
}

static void look(void *ctx)
{
    struct trial *trial = ctx;
    struct token_view view;

    switch (token_source_ask(trial->source, clock_ms(), &view)) {
    case TOKEN_BUSY:
        return;
    case TOKEN_READY:
        loop_stop(trial->loop);
        return;
    case TOKEN_FAILED:
        if (view.err->kind != ERR_AUTH) {
            not_tried(trial, view.err->text);
            return;
        }
        trial->refused = true;
        trial->err = *view.err;
        loop_stop(trial->loop);
        return;
    }
}

static void deadline_fire(void *ctx, int64_t now_ms UNUSED)
{
    not_tried(ctx, "no answer in time");
}

static void sign_in(struct trial *trial)
{
    const struct input *input = &trial->input;

    trial->principal = principal_get(trial->principals, &(struct principal_spec){
        .tenant_id = input->tenant_id, .client_id = input->client_id, .certificate = input->client_certificate,
        .login_url = service_login_url(input), .route = &trial->route });
    trial->source = token_source_get(trial->principal, service_resource(input), trial->api->v1_token);
    trial->listener = (struct token_listener){ .changed = look, .ctx = trial };
    token_source_listen(trial->source, &trial->listener);
}

static const char *stored_secret(const struct trial *trial, char *name)
{
    const char *value = splunkd_secret(trial->splunkd, name);

    free(name);
    return value;
}

static void set_proxy(struct trial *trial)
{
    const struct input *input = &trial->input;
    const char *password = input->proxy_password;

    if (!password)
        password = stored_secret(trial, secret_name_proxy(input->name));
    trial->proxy = input->proxy ? proxy_with_password(input->proxy, password) : NULL;
    trial->route = (struct http_route){ .ca_file = input->ca_file, .proxy = trial->proxy };
}

/* The store was read, or not: a secret that was typed can be tried all the same. */
static void store_read(void *ctx, bool ok, const struct err *err)
{
    struct trial *trial = ctx;
    const struct input *input = &trial->input;
    const char *secret = input->client_secret;

    if (!secret && ok)
        secret = stored_secret(trial, secret_name_client(input->client_id));
    if (!input->client_certificate && !secret && !ok) {
        not_tried(trial, err->text);
        return;
    }
    if (ok && stored_secret(trial, secret_name_refresh(input->tenant_id, input->client_id))) {
        not_tried(trial, "a refresh token is stored for this tenant and app, and trying it would use it up");
        return;
    }
    if (!input->client_certificate && !secret) {
        CLEANUP(mem_freep) char *address = address_of(input);

        trial->refused = true;
        trial->sentence = mem_format("client_secret is empty and none is stored for client_id %s; enter the client "
                                     "secret, or client_certificate. Or let a user sign in: " SIGN_IN_HOW,
                                     input->client_id, address);
        loop_stop(trial->loop);
        return;
    }
    set_proxy(trial);
    sign_in(trial);
    principal_set_secret(trial->principal, secret);
    look(trial);
}

static void session_lost(void *ctx UNUSED)
{
}

static void trial_run(struct trial *trial, const struct config *config)
{
    trial->loop = loop_new();
    trial->http = http_new(trial->loop);
    trial->limiter = limiter_new(trial->loop, 4, 4);
    trial->splunkd = splunkd_new(trial->loop, trial->http, config, getenv("SPLUNK_HOME"));
    trial->principals = principals_new(trial->loop, trial->http, trial->limiter, NULL, session_lost, NULL);
    trial->api = api_at(trial->input.api);
    trial->deadline = (struct timer){ .fire = deadline_fire, .ctx = trial };
    timer_set(trial->loop, &trial->deadline, clock_ms() + VALIDATE_MOST_MS);
    if (text_empty(config->session_key) || text_empty(config->server_uri))
        store_read(trial, false, &(struct err){ .kind = ERR_RETRY, .text = "splunkd gave no session key" });
    else
        splunkd_load_secrets(trial->splunkd, store_read, trial);
    loop_run(trial->loop);
    timer_cancel(trial->loop, &trial->deadline);
    principals_free(trial->principals);
    splunkd_free(trial->splunkd);
    http_free(trial->http);
    limiter_free(trial->limiter);
    loop_free(trial->loop);
    mem_free_secret(trial->proxy);
}

static int refuse(const char *text)
{
    struct buf out = BUF_INIT(1 << 16);

    validate_print_refusal(&out, text);
    fwrite(buf_text(&out), 1, out.len, stdout);
    fflush(stdout);
    buf_free(&out);
    return 1;
}

static void not_tried_once(const struct input *input)
{
    CLEANUP(mem_freep) char *label = input_label(input->name);

    log_event(EVENT_NOT_TRIED, "input=%s tenant=%s the sign-in was not tried while saving: %s can be used only once",
              label, input->tenant_id, input->refresh_token ? "a refresh token" : "an authorization code");
}

/* A code is used by the running input, not here; but a text that holds none is sent back with the address to open. */
static bool code_usable(const struct input *input, char **sentence)
{
    CLEANUP(mem_free_secretp) char *code = NULL;
    CLEANUP(mem_freep) char *address = NULL;
    struct err err;

    if (!input->authorization_code || signin_code(input->authorization_code, &code, &err))
        return true;
    address = address_of(input);
    if (text_same(input->authorization_code, SIGNIN_WISH))
        *sentence = mem_format("To sign in, " SIGN_IN_HOW, address);
    else
        *sentence = mem_format("authorization_code: %s. To sign in, " SIGN_IN_HOW, err.text, address);
    return false;
}

int stream_validate(void)
{
    struct trial trial = { .refused = false };
    struct config config;
    struct err err;
    int status = 0;

    leave_on_signals();
    if (!config_read(STDIN_FILENO, CONFIG_ITEMS, &config, &err))
        return refuse(err.text);
    if (!validate_items(&config, &trial.input, &err)) {
        config_free(&config);
        return refuse(err.text);
    }
    if (!code_usable(&trial.input, &trial.sentence))
        trial.refused = true;
    else if (trial.input.refresh_token || trial.input.authorization_code)
        not_tried_once(&trial.input);
    else
        trial_run(&trial, &config);
    if (trial.refused)
        status = refuse(trial.sentence ? trial.sentence : trial.err.text);
    free(trial.sentence);
    input_free(&trial.input);
    config_free(&config);
    return status;
}
