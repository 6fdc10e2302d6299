#include "command/device_code.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "microsoft/aad.h"

#define FORM_MAX   (64 * 1024)
#define TIMEOUT_S  30
#define INTERVAL_S 5 /* RFC 8628 section 3.2: the default */

struct device_code_ask {
    struct http_request *sent;
    device_code_done_fn *done;
    void *ctx;
};

void device_code_release(struct device_code *device)
{
    mem_free_secret(device->code);
    free(device->user_code);
    free(device->where);
    *device = (struct device_code){ 0 };
}

static bool device_code_read(const struct http_result *result, struct device_code *ret, struct err *err)
{
    CLEANUP(json_freep) cJSON *root = json_parse(result->body, result->body_len);
    const char *code = json_text(root, "device_code"), *user = json_text(root, "user_code");
    const char *where = json_text(root, "verification_uri");
    int64_t life_s;

    if (!http_check(result, err)) {
        aad_read_error(result->body, result->body_len, result->status, err);
        return false;
    }
    if (!where)
        where = json_text(root, "verification_url"); /* the v1 endpoint */
    if (text_empty(code) || text_empty(user) || text_empty(where) || !json_int64(root, "expires_in", 1, 86400, &life_s))
        return err_set(err, ERR_INPUT, "the sign-in service's answer has no device code");
    *ret = (struct device_code){ .code = mem_text(code),
                                 .user_code = mem_text(user),
                                 .where = mem_text(where),
                                 .give_up_ms = clock_ms() + life_s * 1000 };
    if (!json_int64(root, "interval", 1, 3600, &ret->interval_s))
        ret->interval_s = INTERVAL_S;
    return true;
}

static void device_code_answered(void *ctx, const struct http_result *result)
{
    struct device_code_ask *ask = ctx;
    struct device_code device;
    struct err err;
    bool ok = device_code_read(result, &device, &err);

    ask->sent = NULL;
    ask->done(ask->ctx, ok ? &device : NULL, &err);
}

struct device_code_ask *device_code_ask(struct http *http, const struct http_route *route,
                                        const struct token_request *who, device_code_done_fn *done, void *ctx)
{
    struct device_code_ask *ask = mem_alloc(sizeof(*ask));
    struct buf url = BUF_INIT(FORM_MAX), form = BUF_INIT(FORM_MAX);
    CLEANUP(mem_freep) char *scope = mem_format("%s/.default offline_access", who->resource);

    buf_add_format(&url, "%s/", who->login_url);
    buf_add_url(&url, who->tenant_id);
    buf_add_text(&url, who->v1 ? "/oauth2/devicecode" : "/oauth2/v2.0/devicecode");
    buf_add_form(&form, "client_id", who->client_id);
    buf_add_form(&form, who->v1 ? "resource" : "scope", who->v1 ? who->resource : scope);
    *ask = (struct device_code_ask){ .done = done, .ctx = ctx };
    ask->sent = http_start(http, &(struct http_spec){ .url = buf_text(&url),
                                                      .form = buf_text(&form),
                                                      .route = route,
                                                      .done = device_code_answered,
                                                      .ctx = ask,
                                                      .timeout_s = TIMEOUT_S });
    buf_free(&url);
    buf_free(&form);
    return ask;
}

void device_code_ask_free(struct device_code_ask *ask)
{
    if (ask && ask->sent)
        http_cancel(ask->sent);
    free(ask);
}
