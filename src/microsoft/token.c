#include "microsoft/token.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/aad.h"

#define LIFE_MOST_S    (10 * INT64_C(365) * 86400) /* in milliseconds it must not overflow */
#define RENEW_AHEAD_MS (5 * 60 * 1000)
#define DEVICE_GRANT   "urn:ietf:params:oauth:grant-type:device_code"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

void token_address(const struct token_request *request, struct buf *url)
{
    size_t len = strlen(request->login_url);

    while (len && request->login_url[len - 1] == '/')
        len--;
    buf_add(url, request->login_url, len);
    buf_add_char(url, '/');
    buf_add_url(url, request->tenant_id);
    buf_add_text(url, request->v1 ? "/oauth2/token" : "/oauth2/v2.0/token");
}

static void add_client(const struct token_request *request, struct buf *form)
{
    buf_add_form(form, "client_id", request->client_id);
    if (request->client_assertion) {
        buf_add_form(form, "client_assertion_type", ASSERTION_TYPE);
        buf_add_form(form, "client_assertion", request->client_assertion);
    } else if (request->client_secret) {
        buf_add_form(form, "client_secret", request->client_secret);
    }
}

static void add_target(const struct token_request *request, struct buf *form)
{
    CLEANUP(mem_freep) char *scope = NULL;

    if (request->v1) {
        buf_add_form(form, "resource", request->resource);
        return;
    }
    /* v2 returns a refresh token only with the scope offline_access. The client credentials grant has none. */
    scope = mem_format("%s/.default%s", request->resource,
                       request->grant == GRANT_CLIENT_CREDENTIALS ? "" : " offline_access");
    buf_add_form(form, "scope", scope);
}

void token_build(const struct token_request *request, struct buf *url, struct buf *form)
{
    token_address(request, url);
    switch (request->grant) {
    case GRANT_CLIENT_CREDENTIALS: buf_add_form(form, "grant_type", "client_credentials"); break;
    case GRANT_REFRESH_TOKEN:
        buf_add_form(form, "grant_type", "refresh_token");
        buf_add_form(form, "refresh_token", request->refresh_token);
        break;
    case GRANT_AUTHORIZATION_CODE:
        buf_add_form(form, "grant_type", "authorization_code");
        buf_add_form(form, "code", request->code);
        buf_add_form(form, "redirect_uri", request->redirect_uri);
        if (request->code_verifier)
            buf_add_form(form, "code_verifier", request->code_verifier);
        break;
    case GRANT_DEVICE_CODE:
        buf_add_form(form, "grant_type", request->v1 ? "device_code" : DEVICE_GRANT);
        buf_add_form(form, request->v1 ? "code" : "device_code", request->code);
        break;
    }
    add_client(request, form);
    add_target(request, form);
}

void token_release(struct token *token)
{
    mem_free_secret(token->authorization);
    mem_free_secret(token->refresh_token);
    *token = (struct token){ 0 };
}

/* Deletes the tree of a token response. Its texts are tokens, so they are overwritten first. */
static void free_secret_tree(cJSON **tree)
{
    cJSON *item;

    if (cJSON_IsObject(*tree))
        cJSON_ArrayForEach(item, *tree) if (cJSON_IsString(item) && item->valuestring)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
    json_freep(tree);
}

/* Returns true if the text can be a token, in a header line, a form or Splunk's password store: printable ASCII without
 * blanks (RFC 6749, appendix A, allows a blank in a refresh token; Entra's have none). */
static bool is_header_value(const char *token)
{
    for (; *token; token++)
        if (*token < 0x21 || *token > 0x7e)
            return false;
    return true;
}

static bool bad_answer(struct err *err, const char *what, const struct http_result *result)
{
    err_set(err, ERR_INPUT, "the sign-in service's answer %s (HTTP %d, %zu bytes)", what, result->status,
            result->body_len);
    return diagnosis_blame(err, DIAGNOSIS_BAD_ANSWER);
}

static bool unreadable(const struct http_result *result, struct err *err)
{
    const char *at = result->body + strspn(result->body, " \t\r\n");
    char status[32];

    snprintf(status, sizeof(status), " (HTTP %d)", result->status);
    if (!*at)
        return bad_answer(err, "is empty", result);
    if (*at == '<' || strcasestr(result->content_type, "html"))
        return diagnosis_set(err, ERR_INPUT, DIAGNOSIS_WEB_PAGE,
                             &(struct diagnosis_facts){ .text = "the sign-in service's", .detail = status });
    return bad_answer(err, "is not a JSON object: it is cut off, or not from Entra", result);
}

static bool bad_member(struct err *err, const cJSON *root, const char *name, const char *should)
{
    err_set(err, ERR_INPUT, "the sign-in service's answer has %s %s: it should be %s",
            json_member(root, name) ? "an unusable" : "no", name, should);
    return diagnosis_blame(err, DIAGNOSIS_BAD_ANSWER);
}

static bool check_members(const cJSON *root, int64_t *life_s, struct err *err)
{
    const char *access = json_text(root, "access_token");
    const cJSON *type = json_member(root, "token_type"), *refresh = json_member(root, "refresh_token");

    if (text_empty(access) || !is_header_value(access))
        return bad_member(err, root, "access_token", "text without blanks");
    if (type && !text_same_nocase(cJSON_GetStringValue(type), "Bearer"))
        return bad_member(err, root, "token_type", "'Bearer'");
    if (!json_int64(root, "expires_in", 1, LIFE_MOST_S, life_s))
        return bad_member(err, root, "expires_in", "a whole number of seconds");
    if (refresh && !cJSON_IsNull(refresh) && !(cJSON_IsString(refresh) && is_header_value(refresh->valuestring)))
        return bad_member(err, root, "refresh_token", "text without blanks");
    return true;
}

/* Replaces "authorization code or refresh token" in a text of the table by the credential of this grant. */
static void name_credential(enum token_grant grant, struct err *err)
{
    static const char both[] = "authorization code or refresh token";
    struct err said = *err;
    const char *at = strstr(said.text, both);

    if (grant == GRANT_CLIENT_CREDENTIALS || !at)
        return;
    err_set(err, said.kind, "%.*s%s%s", (int)(at - said.text), said.text,
            grant == GRANT_REFRESH_TOKEN ? "refresh token" : "authorization code", at + strlen(both));
    err->wait_ms = said.wait_ms;
    err_blame(err, &said);
}

static bool read_success(const struct http_result *result, enum token_grant grant, int64_t now_ms, struct token *ret,
                         struct err *err)
{
    CLEANUP(free_secret_tree) cJSON *root = json_parse(result->body, result->body_len);
    const char *refresh = json_text(root, "refresh_token");
    int64_t life_s = 0;

    if (!cJSON_IsObject(root))
        return unreadable(result, err);
    if (!json_member(root, "access_token") && aad_read_error(result->body, result->body_len, result->status, err)) {
        name_credential(grant, err);
        return false;
    }
    if (!check_members(root, &life_s, err))
        return false;
    if ((grant == GRANT_AUTHORIZATION_CODE || grant == GRANT_DEVICE_CODE) && text_empty(refresh))
        return err_set(err, ERR_AUTH,
                       "the sign-in gave no refresh token. Our administrator: allow offline_access for "
                       "the app, sign in again and enter the new authorization_code in the input.");
    *ret = (struct token){ .authorization = mem_format("Bearer %s", json_text(root, "access_token")),
                           .expires_ms = now_ms + life_s * 1000,
                           .lifetime_ms = life_s * 1000 };
    if (grant != GRANT_CLIENT_CREDENTIALS && !text_empty(refresh))
        ret->refresh_token = mem_text(refresh);
    return true;
}

bool token_read(const struct http_result *result, enum token_grant grant, int64_t now_ms, struct token *ret,
                struct err *err)
{
    struct err said;

    if (http_check(result, err))
        return read_success(result, grant, now_ms, ret, err);
    if (!http_status_counts(result))
        return false;
    if (!aad_read_error(result->body, result->body_len, result->status, &said))
        return err_prefix(err, "sign-in service");
    if (said.kind == ERR_RETRY && said.wait_ms < err->wait_ms)
        said.wait_ms = err->wait_ms;
    if (said.kind == ERR_RETRY && said.wait_ms < result->retry_after_ms)
        said.wait_ms = result->retry_after_ms;
    *err = said;
    name_credential(grant, err);
    return false;
}

bool token_fresh(const struct token *token, int64_t now_ms, int64_t margin_ms)
{
    return token->authorization && now_ms + margin_ms < token->expires_ms;
}

int64_t token_renew_at_ms(const struct token *token)
{
    int64_t ahead_ms = token->lifetime_ms / 10;

    return token->expires_ms - (ahead_ms < RENEW_AHEAD_MS ? ahead_ms : RENEW_AHEAD_MS);
}
