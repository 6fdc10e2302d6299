#include "command/redeem.h"

#include <stdio.h>
#include <stdlib.h>

#include "auth/federation.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/console.h"
#include "microsoft/aad.h"

#define FORM_MAX          (256 * 1024)
#define TIMEOUT_S         30
#define SLOWER_S          5 /* added by slow_down: RFC 8628 section 3.5 */
#define VERIFIER_MISMATCH 501481

struct redeem {
    struct redeem_spec spec;
    enum assertion_form form;
    struct federation *federations; /* at most one */
    bool device;
    struct timer timer;
    struct http_request *sent;
    redeem_done_fn *done;
    void *ctx;
};

static void redeem_ask(struct redeem *redeem);

static void redeem_fail(struct redeem *redeem, const struct err *err)
{
    redeem->done(redeem->ctx, NULL, err);
}

static bool says(const struct http_result *result, const char *error)
{
    CLEANUP(json_freep) cJSON *root = json_parse(result->body, result->body_len);

    return text_same(json_text(root, "error"), error);
}

static void redeem_wait(struct redeem *redeem, int64_t now_ms, int64_t wait_ms)
{
    int64_t left_s = (redeem->spec.give_up_ms - now_ms) / 1000;
    char text[80];

    snprintf(text, sizeof(text), "Waiting for the sign-in, %lld:%02lld left (Ctrl-C ends this) ",
             (long long)left_s / 60, (long long)left_s % 60);
    console_progress(text);
    timer_set(redeem->spec.loop, &redeem->timer, now_ms + wait_ms);
}

/* Waits: nobody has signed in on the other device yet, or the error is transient. */
static void ask_later(struct redeem *redeem, const struct http_result *result, const struct err *err)
{
    int64_t now_ms = clock_ms(), wait_ms;
    struct err late;

    if (says(result, "slow_down"))
        redeem->spec.interval_s += SLOWER_S;
    wait_ms = redeem->spec.interval_s * 1000;
    if (err->wait_ms > wait_ms)
        wait_ms = err->wait_ms;
    if (now_ms + wait_ms < redeem->spec.give_up_ms) {
        redeem_wait(redeem, now_ms, wait_ms);
        return;
    }
    err_set(&late, ERR_AUTH, "nobody signed in before the code expired; start the sign-in again");
    redeem_fail(redeem, &late);
}

/* Repeats the request in another form if the response suggests one. Returns false if it does not. */
static bool ask_otherwise(struct redeem *redeem, const struct err *err)
{
    if (redeem->spec.key && redeem->form == ASSERTION_PS256 && assertion_refused(err))
        redeem->form = ASSERTION_RS256;
    else if (redeem->spec.request.code_verifier && aad_code_in(err) == VERIFIER_MISMATCH)
        /* The user signed in at an address from the inputs page, which has no challenge. */
        redeem->spec.request.code_verifier = NULL;
    else
        return false;
    redeem_ask(redeem);
    return true;
}

static void redeem_answered(void *ctx, const struct http_result *result)
{
    struct redeem *redeem = ctx;
    struct token token = { 0 };
    struct err err;

    redeem->sent = NULL;
    if (token_read(result, redeem->spec.request.grant, clock_ms(), &token, &err)) {
        redeem->done(redeem->ctx, token.refresh_token, NULL);
        token_release(&token);
    } else if (redeem->device && err.kind == ERR_RETRY) {
        ask_later(redeem, result, &err);
    } else if (!ask_otherwise(redeem, &err)) {
        redeem_fail(redeem, &err);
    }
}

/* The token of a managed identity has come, or has not. */
static void settled(void *ctx, const struct federation *federation UNUSED, bool recovered UNUSED)
{
    redeem_ask(ctx);
}

/* Sets the app's assertion, if it shows one. Returns false if there is none: *ret_wait is set if settled() will tell,
 * else *err. */
static bool add_assertion(struct redeem *redeem, struct token_request *request, char **ret, bool *ret_wait,
                          struct err *err)
{
    const struct redeem_spec *spec = &redeem->spec;
    struct federation *federation = NULL;

    *ret_wait = false;
    if (!spec->key && !spec->assertion)
        return true;
    if (spec->assertion)
        federation = federation_get(&redeem->federations, spec->assertion, request->login_url, settled, redeem);
    if (federation && federation_is_due(federation, clock_ms())) {
        *ret_wait = true;
        federation_fetch(federation, spec->http);
        return false;
    }
    *ret = federation ? federation_take(federation, clock_wall_ms(), err)
                      : assertion_new(spec->key, redeem->form, request, clock_wall_ms(), 0, err);
    request->client_assertion = *ret;
    return *ret != NULL;
}

static void redeem_ask(struct redeem *redeem)
{
    const struct redeem_spec *spec = &redeem->spec;
    struct token_request request = spec->request;
    struct buf url = BUF_INIT(FORM_MAX), form = BUF_INIT(FORM_MAX);
    CLEANUP(mem_free_secretp) char *assertion = NULL;
    struct err err;
    bool wait;

    if (!add_assertion(redeem, &request, &assertion, &wait, &err)) {
        if (!wait)
            redeem_fail(redeem, &err);
        return;
    }
    token_build(&request, &url, &form);
    redeem->sent = http_start(spec->http, &(struct http_spec){ .url = buf_text(&url),
                                                               .form = buf_text(&form),
                                                               .route = spec->route,
                                                               .done = redeem_answered,
                                                               .ctx = redeem,
                                                               .timeout_s = TIMEOUT_S });
    buf_free(&url);
    buf_free_secret(&form);
}

static void redeem_timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    redeem_ask(ctx);
}

struct redeem *redeem_start(const struct redeem_spec *spec, redeem_done_fn *done, void *ctx)
{
    struct redeem *redeem = mem_alloc(sizeof(*redeem));

    *redeem = (struct redeem){ .spec = *spec,
                               .device = spec->request.grant == GRANT_DEVICE_CODE,
                               .done = done,
                               .ctx = ctx };
    redeem->timer = (struct timer){ .fire = redeem_timer_fired, .ctx = redeem };
    if (redeem->device)
        redeem_wait(redeem, clock_ms(), spec->interval_s * 1000);
    else
        redeem_ask(redeem);
    return redeem;
}

void redeem_free(struct redeem *redeem)
{
    if (!redeem)
        return;
    if (redeem->sent)
        http_cancel(redeem->sent);
    timer_cancel(redeem->spec.loop, &redeem->timer);
    federations_free(&redeem->federations);
    free(redeem);
}
