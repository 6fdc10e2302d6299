/* Answers of the token endpoint and pasted sign-in addresses. The first byte picks status and grant, the rest is the
 * body. Whatever comes: a token is whole, or there is none and a clean sentence says why. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "microsoft/aad.h"
#include "microsoft/signin.h"
#include "microsoft/token.h"

#define NOW 5000

static void check_sentence(const struct err *err)
{
    const char *at;

    if (!err->text[0] || (unsigned)err->kind > ERR_FATAL || err->wait_ms < 0)
        abort();
    for (at = err->text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            abort();
}

static void check_token(const struct http_result *result, enum token_grant grant)
{
    struct token token = { 0 };
    struct err err = { .kind = ERR_FATAL, .wait_ms = -1 };

    if (!token_read(result, grant, NOW, &token, &err)) {
        if (token.authorization || token.refresh_token || err.kind == ERR_FATAL)
            abort();
        check_sentence(&err);
        return;
    }
    if (strncmp(token.authorization, "Bearer ", 7) || strpbrk(token.authorization, "\r\n") ||
        !token_fresh(&token, NOW, 0) || token_renew_at_ms(&token) < NOW || token_renew_at_ms(&token) > token.expires_ms)
        abort();
    if (grant == GRANT_AUTHORIZATION_CODE && !token.refresh_token)
        abort();
    token_release(&token);
}

static void check_pasted(const char *text)
{
    struct err err = { .kind = ERR_FATAL };
    char *code = NULL;

    if (!signin_code(text, &code, &err)) {
        if (code)
            abort();
        check_sentence(&err);
    } else if (!*code) {
        abort();
    }
    mem_free_secret(code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = { 200, 400, 401, 429, 503, 204, 302, 407 };
    struct http_result result = { .retry_after_ms = -1, .content_type = "", .request_id = "", .authenticate = "" };
    char *text;

    if (!size)
        return 0;
    text = mem_text_n((const char *)data + 1, size - 1);
    result.status = statuses[data[0] % 8];
    result.body = text;
    result.body_len = size - 1;
    check_token(&result, (enum token_grant)(data[0] / 8 % 3));
    check_pasted(text);
    free(text);
    return 0;
}
