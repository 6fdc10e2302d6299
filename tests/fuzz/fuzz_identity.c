/* What a machine's metadata service or Azure Arc's agent answers, and what a token file holds. The first byte chooses the
 * status of the answer. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "microsoft/managed_identity.h"
#include "microsoft/token_file.h"

static const struct identity_service vm = { .url = "http://169.254.169.254/x" };
static const struct identity_service arc = { .arc = true, .url = "http://localhost:1/x", .key_folder = "/nowhere/tokens" };

static void check_answer(const struct identity_service *service, const char *who, int status, const uint8_t *data,
                         size_t size)
{
    char *body = mem_text_n((const char *)data, size);
    struct http_result result = { .status = status, .body = body, .body_len = size, .retry_after_ms = -1 };
    struct identity_token token = { 0 };
    struct err err = { .text = "" };
    bool ok = identity_read(service, who, &result, 1000, &token, &err);

    need(!ok || (status == 200 && token_is_jwt(token.text)), "a token is a JWT of a good answer");
    need(!ok || (token.lifetime_ms > 0 && token.expires_ms == 1000 + token.lifetime_ms), "a token has a life");
    need(ok || (*err.text && utf8_is_plain(err.text)), "a refusal is one plain line");
    need(ok || err.kind == ERR_RETRY || err.kind == ERR_AUTH, "a refusal passes, or a person acts");
    mem_free_secret(token.text);
    free(body);
}

/* No challenge leads out of the folder, which does not exist here. */
static void check_challenge(const char *text)
{
    struct err err = { .text = "" };
    char *key = NULL;

    need(!identity_key(&arc, text, &key, &err) && !key, "no key");
    need(utf8_is_plain(err.text) && err.kind == ERR_AUTH, "a refusal is one plain line");
    need(!strstr(err.text, "cannot open '/") || strstr(err.text, "cannot open '/nowhere/tokens/"), "only the folder");
}

static void check_jwt(const char *text)
{
    size_t dots = 0;
    const char *at;

    if (!token_is_jwt(text))
        return;
    for (at = text; *at; at++) {
        need(*at > ' ' && *at < 0x7f, "characters of a header");
        dots += *at == '.';
    }
    need(dots == 2, "three parts");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = { 200, 200, 400, 401, 404, 410, 429, 500 };
    int status = size ? statuses[*data % COUNT_OF(statuses)] : 200;
    char *text = mem_text_n((const char *)data, size);

    check_answer(&vm, NULL, status, data, size);
    check_answer(&arc, "01234567-89ab-cdef-0123-456789abcdef", status, data, size);
    if (size)
        check_answer(&vm, NULL, status, data + 1, size - 1);
    check_challenge(text);
    check_jwt(text);
    free(text);
    return 0;
}
