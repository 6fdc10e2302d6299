/* Defender for Endpoint: /api/alerts. */
#include "microsoft/api.h"

enum { VARIANT_FULL, VARIANT_SECONDS, VARIANT_NO_EVIDENCE, VARIANTS };

static ticks endpoint_resolution(int variant)
{
    return variant == VARIANT_FULL ? 1 : TICKS_PER_SECOND;
}

static size_t endpoint_url(const struct api_query *query, struct buf *ret)
{
    buf_add_text(ret, query->base);
    buf_add_text(ret, "/api/alerts?");
    api_add_filter(ret, query, "lastUpdateTime", query->variant == VARIANT_FULL ? 7 : 0);
    if (query->variant < VARIANT_NO_EVIDENCE && !query->only_id)
        buf_add_text(ret, "&$expand=evidence");
    if (query->top)
        buf_add_format(ret, "&$top=%zu", query->top);
    if (query->skip)
        buf_add_format(ret, "&$skip=%zu", query->skip);
    return query->top;
}

/* Message MC1220762 of Microsoft's message center (22 January 2026): the "MDE API and XDR API" retire from 6 February
 * 2026 on, stop working on 1 February 2027, and Microsoft Graph takes their place. */
#define ENDPOINT_ENDS "2027-02-01"

/* In the commercial cloud the token's audience differs from the host's name. */
const struct api api_endpoint = {
    .name = "endpoint",
    .sourcetype = "ms:defender:atp:alerts",
    .shape = { .array = "value", .id = "id", .time = "lastUpdateTime" },
    .host = { "https://api.security.microsoft.com", "https://api-gcc.securitycenter.microsoft.us",
              "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us" },
    .resource = { "https://api.securitycenter.microsoft.com", "https://api-gcc.securitycenter.microsoft.us",
                  "https://api-gov.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us" },
    .has_skip = true,
    .skips = SIZE_MAX,
    .sorts = true,
    .top = 10000,
    .top_first = 1000,
    .variants = VARIANTS,
    .whole_variants = VARIANT_NO_EVIDENCE,
    .per_minute = 100,
    .per_hour = 1500,
    .family = "endpoint",
    .permission = "Alert.Read.All",
    .permissions = "Alert.Read.All Alert.ReadWrite.All Alert.Read Alert.ReadWrite",
    .ids = API_IDS_DEFENDER,
    .ends = ENDPOINT_ENDS,
    .url = endpoint_url,
    .resolution = endpoint_resolution
};
