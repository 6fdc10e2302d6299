/* The request of a token source and its response. */
#include "auth/token_source_private.h"
#include "auth/binding.h"
#include "base/clock.h"
#include "messages/log_events.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/hosts.h"
#include "splunk/secret_hosts.h"

#define TOKEN_TIMEOUT_S 30
#define FORM_MAX        (256 * 1024)

/* The response. */

/* Returns true if the tenant does not take our assertion and there is another form to try. */
static bool other_assertion_form(struct token_source *source)
{
    struct principal *principal = source->principal;

    if (!principal->certificate || principal->form == ASSERTION_RS256 || !assertion_refused(&source->err))
        return false;
    principal->form = ASSERTION_RS256;
    log_event(EVENT_ASSERTION,
              "tenant=%s client=%s the tenant does not take a PS256 client assertion, RS256 is "
              "tried",
              principal->tenant_id, principal->client_id);
    return true;
}

/* Returns true if the sign-in service may replace the stored refresh token: its own, or one that may be sent to it.
 * Another one was entered since this source has its own. */
static bool may_replace(const struct principal *principal)
{
    const struct passwords *passwords = principal->principals->passwords;
    CLEANUP(mem_freep) char *name = secret_name_refresh(principal->tenant_id, principal->client_id);
    struct err err;

    return text_same(passwords_get(passwords, name), principal->refresh_token) ||
           binding_allows(passwords, "refresh_token", name, &(struct destination){ .login_url = principal->login_url },
                          &err);
}

static enum source_event read_response(struct token_source *source, const struct http_result *result, int64_t now_ms)
{
    const struct principal *principal = source->principal;

    token_release(&source->fetched);
    if (!token_read(result, source->grant, now_ms, &source->fetched, &source->err)) {
        if (principal->federation)
            federation_refused(principal->federation, &source->err);
        return other_assertion_form(source) ? ON_OTHER_FORM : ON_FAILURE;
    }
    if (source->fetched.refresh_token && principal->principals->passwords &&
        !text_same(source->fetched.refresh_token, principal->refresh_token) && may_replace(principal))
        return ON_ROTATED;
    mem_free_secretp(&source->fetched.refresh_token);
    return ON_TOKEN;
}

static void answered(void *ctx, const struct http_result *result)
{
    struct token_source *source = ctx;
    int64_t now_ms = clock_ms();

    source->request = NULL;
    limiter_release(&source->slot);
    if (result->date_ms) {
        source->clock_offset_ms = result->date_ms - clock_wall_ms();
        source->has_clock = true;
    }
    token_source_step(source, read_response(source, result, now_ms), now_ms);
}

/* The request. */

enum token_grant token_fetch_grant(const struct token_source *source)
{
    if (source->codes)
        return GRANT_AUTHORIZATION_CODE;
    return source->principal->refresh_token ? GRANT_REFRESH_TOKEN : GRANT_CLIENT_CREDENTIALS;
}

static bool refuse_api(const struct token_source *source, const char *param, struct err *err)
{
    err_set(err, ERR_AUTH,
            "tokens of the %s in use may not go to %s (api_url). Our administrator: enter %s again in this input, "
            "or correct api_url",
            param, source->api, param);
    return remedy_set(err, "secret_host", ACT_PROVIDER, "enter the secret again in the input, or correct api_url");
}

bool token_fetch_may_serve(const struct token_source *source, struct err *err)
{
    const struct principal *principal = source->principal;
    enum token_grant grant = token_fetch_grant(source);

    if (principal->federation && !binding_allows_assertion(principal->login_url, err))
        return false;
    if (!source->api)
        return true;
    if (principal->federation && grant == GRANT_CLIENT_CREDENTIALS)
        return refuse_api(source, "client_assertion", err);
    if (principal->certificate && grant == GRANT_CLIENT_CREDENTIALS)
        return !hosts_sign_in(principal->login_url) || refuse_api(source, "client_certificate", err);
    if (!principal->certificate && !principal->federation && principal->client_secret &&
        !secret_hosts_hold(principal->secret_hosts, source->api))
        return refuse_api(source, "client_secret", err);
    if (grant == GRANT_REFRESH_TOKEN && !secret_hosts_hold(principal->refresh_hosts, source->api))
        return refuse_api(source, "refresh_token", err);
    return true;
}

/* Adds the credential of a client with a certificate or a federated assertion; *ret_assertion is a secret. */
static bool add_assertion(struct token_source *source, struct token_request *request, char **ret_assertion)
{
    const struct principal *principal = source->principal;
    const struct assertion_key *key;

    if (!principal->certificate && !principal->federation)
        return true;
    if (principal->federation)
        *ret_assertion = federation_take(principal->federation, clock_wall_ms() + source->clock_offset_ms,
                                         &source->err);
    else if ((key = certificate_key(principal->cert, &source->err)))
        *ret_assertion = assertion_new(key, principal->form, request, clock_wall_ms(), source->clock_offset_ms,
                                       &source->err);
    request->client_secret = NULL;
    request->client_assertion = *ret_assertion;
    return *ret_assertion != NULL;
}

void token_fetch_start(struct token_source *source, int64_t now_ms)
{
    struct principal *principal = source->principal;
    const struct code_exchange *exchange = source->codes;
    struct buf url = BUF_INIT(FORM_MAX), form = BUF_INIT(FORM_MAX);
    CLEANUP(mem_free_secretp) char *assertion = NULL;
    struct token_request request = { .login_url = principal->login_url,
                                     .tenant_id = principal->tenant_id,
                                     .client_id = principal->client_id,
                                     .client_secret = principal->client_secret,
                                     .resource = source->resource,
                                     .v1 = source->v1,
                                     .grant = token_fetch_grant(source),
                                     .refresh_token = principal->refresh_token,
                                     .code = exchange ? exchange->code : NULL,
                                     .redirect_uri = exchange ? exchange->redirect_uri : NULL };

    source->grant = request.grant;
    if (!token_fetch_may_serve(source, &source->err) || !add_assertion(source, &request, &assertion)) {
        limiter_release(&source->slot);
        token_source_step(source, ON_FAILURE, now_ms);
        return;
    }
    token_build(&request, &url, &form);
    source->request = http_start(principal->principals->http, &(struct http_spec){ .url = buf_text(&url),
                                                                                   .form = buf_text(&form),
                                                                                   .route = &principal->route,
                                                                                   .done = answered,
                                                                                   .ctx = source,
                                                                                   .timeout_s = TOKEN_TIMEOUT_S });
    buf_free(&url);
    buf_free_secret(&form);
}
