/* The claims of an access token: any bytes as the whole header value, and as the JSON inside of a well-made one. */
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "fuzz.h"
#include "microsoft/claims.h"

static void check_any(const char *authorization)
{
    struct claims claims;

    claims_read(authorization, &claims);
    need(claims.granted && claims.tenant, "texts, if empty ones");
    need(claims.readable || (!*claims.granted && !*claims.tenant && !claims.user), "nothing from what cannot be read");
    need(!claims_hold(&claims, ""), "no permission is asked for, none is held");
    claims_hold(&claims, "SecurityAlert.Read.All Alert.Read.All");
    claims_release(&claims);
}

/* The same JSON, read by the tree alone. */
static void check_payload(const uint8_t *data, size_t size)
{
    struct buf token = BUF_INIT(1 << 20);
    cJSON *tree = json_parse((const char *)data, size);
    const char *tenant = json_text(tree, "tid");
    struct claims claims;

    buf_add_text(&token, "Bearer head.");
    base64url_add(&token, data, size);
    buf_add_text(&token, ".signature");
    claims_read(buf_text(&token), &claims);
    if (size && size < 49152) { /* of 64 kB of base64 */
        need(claims.readable == (cJSON_IsObject(tree) != 0), "readable if it is an object");
        need(!claims.readable || !strcmp(claims.tenant, tenant ? tenant : ""), "the tenant of the JSON");
        need(!claims.readable || claims.user == (json_text(tree, "scp") != NULL), "a user's token has scopes");
    }
    claims_release(&claims);
    cJSON_Delete(tree);
    buf_free(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_text_n((const char *)data, size);

    check_any(text);
    check_payload(data, size);
    free(text);
    return 0;
}
