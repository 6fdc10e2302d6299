#include "microsoft/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#define PAYLOAD_MAX 65536
#define GRANTED_MAX 8192

static void add_words(struct buf *to, const char *words)
{
    if (text_empty(words))
        return;
    if (to->len)
        buf_add_char(to, ' ');
    buf_add_text(to, words);
}

static void take_claims(const cJSON *root, struct claims *ret)
{
    struct buf granted = BUF_INIT(GRANTED_MAX);
    const cJSON *roles = json_member(root, "roles"), *role;
    const char *scopes = json_text(root, "scp");

    ret->readable = true;
    ret->tenant = mem_text(json_text(root, "tid"));
    ret->user = scopes != NULL;
    add_words(&granted, scopes);
    if (cJSON_IsArray(roles))
        cJSON_ArrayForEach(role, roles) add_words(&granted, cJSON_GetStringValue(role));
    ret->granted = buf_take(&granted);
}

void claims_read(const char *authorization, struct claims *ret)
{
    const char *first = strchr(authorization, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    struct buf payload = BUF_INIT(PAYLOAD_MAX);

    *ret = (struct claims){ .readable = false };
    if (second && base64url_decode(first + 1, (size_t)(second - first - 1), &payload)) {
        CLEANUP(json_freep) cJSON *root = json_parse(payload.data, payload.len);

        if (cJSON_IsObject(root))
            take_claims(root, ret);
    }
    buf_free_secret(&payload);
    if (!ret->granted)
        ret->granted = mem_text("");
    if (!ret->tenant)
        ret->tenant = mem_text("");
}

void claims_release(struct claims *claims)
{
    free(claims->tenant);
    free(claims->granted);
    *claims = (struct claims){ .readable = false };
}

static bool has_word(const char *words, const char *word, size_t len)
{
    const char *at;

    for (at = words; (at = strstr(at, word)); at++)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
    return false;
}

bool claims_hold(const struct claims *claims, const char *permissions)
{
    CLEANUP(mem_freep) char *list = mem_text(permissions);
    char *word, *rest = list;

    while ((word = strsep(&rest, " ")))
        if (*word && has_word(claims->granted, word, strlen(word)))
            return true;
    return false;
}
