#include "microsoft/app_ends.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

void app_ends_owner_url(const char *graph, const char *client_id, struct buf *ret)
{
    buf_add_format(ret, "%s/v1.0/servicePrincipals(appId='%s')?$select=appOwnerOrganizationId", graph, client_id);
}

void app_ends_url(const char *graph, const char *client_id, struct buf *ret)
{
    buf_add_format(ret, "%s/v1.0/applications(appId='%s')?$select=passwordCredentials,keyCredentials", graph,
                   client_id);
}

char *app_ends_owner(const char *body, size_t len)
{
    CLEANUP(json_freep) cJSON *root = json_parse(body, len);
    const char *owner = json_text(root, "appOwnerOrganizationId");

    return text_is_guid(owner) ? mem_text(owner) : NULL;
}

/* Takes the end of a credential that fits, if it is to come and comes before what was taken. */
static void take_end(const cJSON *item, ticks now, bool *has, ticks *ret)
{
    const char *text = json_text(item, "endDateTime");
    ticks end;

    if (!text || !ticks_parse(text, strlen(text), &end) || end < now || (*has && *ret <= end))
        return;
    *has = true;
    *ret = end;
}

static bool fits_hint(const cJSON *item, const char *hint)
{
    const char *said = json_text(item, "hint");

    return !text_empty(hint) && !text_empty(said) && strncmp(said, hint, APP_ENDS_HINT) == 0;
}

static bool fits_key(const cJSON *item, const struct assertion_key *key)
{
    const char *identifier = json_text(item, "customKeyIdentifier");

    return key && identifier && assertion_is_named(key, identifier);
}

bool app_ends_read(const char *body, size_t len, const char *hint, const struct assertion_key *key, ticks now,
                   struct app_ends *ret, struct err *err)
{
    CLEANUP(json_freep) cJSON *root = json_parse(body, len);
    const cJSON *secrets = json_member(root, "passwordCredentials"), *keys = json_member(root, "keyCredentials"), *item;

    *ret = (struct app_ends){ .has_secret = false };
    if (!cJSON_IsArray(secrets) || !cJSON_IsArray(keys))
        return err_set(err, ERR_INPUT, "the answer has no passwordCredentials and keyCredentials");
    cJSON_ArrayForEach(item, secrets) if (fits_hint(item, hint)) take_end(item, now, &ret->has_secret, &ret->secret);
    cJSON_ArrayForEach(item, keys) if (fits_key(item, key))
        take_end(item, now, &ret->has_certificate, &ret->certificate);
    return true;
}
