/* The SIEM alert exporter: deprecated, kept for tenants that still have it.
 *
 * It returns everything in the range at once, in no documented order. Whether its bounds are inclusive is not
 * documented, so each is moved outward by one step; the dedup set drops the surplus. No limit is given: it would drop
 * the oldest alerts. */
#include "microsoft/api.h"

#include <string.h>

#include "base/text.h"

enum { VARIANT_MS, VARIANT_MS_ZONE, VARIANT_SECONDS, VARIANTS };

static ticks siem_resolution(int variant)
{
    return variant == VARIANT_SECONDS ? TICKS_PER_SECOND : TICKS_PER_MS;
}

static void add_bound(struct buf *ret, const char *name, ticks time, int variant)
{
    char text[TICKS_TEXT_MAX];
    size_t len;

    ticks_text_digits(time, variant == VARIANT_SECONDS ? 0 : 3, text);
    len = strlen(text);
    if (variant == VARIANT_MS)
        text[len - 1] = '\0'; /* the documented form has no zone */
    buf_add_form(ret, name, text);
}

static size_t siem_url(const struct api_query *query, struct buf *ret)
{
    ticks step = siem_resolution(query->variant);

    buf_add_format(ret, "%s/api/alerts?", query->base);
    add_bound(ret, "sinceTimeUtc", api_floor(query->lo, step) - step, query->variant);
    if (query->hi != TICKS_OPEN)
        add_bound(ret, "untilTimeUtc", api_ceil(query->hi, step) + step, query->variant);
    return 0;
}

#define US "https://wdatp-alertexporter-us"

const struct api api_siem = { .name = "siem",
                              .sourcetype = "ms:defender:siem:alerts",
                              .shape = { .time = "LastProcessedTimeUtc" },
                              .host = { US ".windows.com", US ".gcc.securitycenter.windows.us",
                                        US ".securitycenter.windows.us", US ".securitycenter.windows.us" },
                              .resource = { "https://graph.windows.net", "https://graph.windows.net",
                                            "https://graph.windows.net", "https://graph.windows.net" },
                              .v1_token = true,
                              .capacity = 5000,
                              .variants = VARIANTS,
                              .whole_variants = VARIANTS,
                              .per_minute = 100,
                              .per_hour = 1500,
                              .family = "siem",
                              .permission = "the portal's authorization under Settings > Endpoints > APIs > SIEM",
                              .url = siem_url,
                              .resolution = siem_resolution };
