/* Microsoft Graph: alerts_v2 and incidents. */
#include "microsoft/api.h"

enum { VARIANT_FULL, VARIANT_SECONDS, VARIANT_SMALL, VARIANT_PLAIN, VARIANTS };

/* Without this header newer enum members arrive as "unknownFutureValue". */
static const char *const headers[] = { "Prefer: include-unknown-enum-members", NULL };

static ticks graph_resolution(int variant)
{
    return variant == VARIANT_FULL ? 1 : TICKS_PER_SECOND;
}

static size_t graph_url(const struct api_query *query, const char *path, size_t small, struct buf *ret)
{
    size_t top = query->variant >= VARIANT_SMALL && query->top > small ? small : query->top;

    buf_add_format(ret, "%s%s?", query->base, path);
    api_add_filter(ret, query, "lastUpdateDateTime", query->variant == VARIANT_FULL ? 7 : 0);
    if (query->skip)
        buf_add_format(ret, "&$skip=%zu", query->skip);
    if (!top || query->variant >= VARIANT_PLAIN)
        return 0;
    buf_add_format(ret, "&$top=%zu", top);
    return top;
}

static size_t alerts_url(const struct api_query *query, struct buf *ret)
{
    return graph_url(query, "/v1.0/security/alerts_v2", 100, ret);
}

static size_t incidents_url(const struct api_query *query, struct buf *ret)
{
    return graph_url(query, "/v1.0/security/incidents", 20, ret);
}

#define GRAPH_SERVICES                                                                                                 \
    .host = { "https://graph.microsoft.com", "https://graph.microsoft.com", "https://graph.microsoft.us",              \
              "https://dod-graph.microsoft.us" },                                                                      \
    .resource = { "https://graph.microsoft.com", "https://graph.microsoft.com", "https://graph.microsoft.us",          \
                  "https://dod-graph.microsoft.us" },                                                                  \
    .shape = { .array = "value", .id = "id", .time = "lastUpdateDateTime" }, .headers = headers, .variants = VARIANTS, \
    .whole_variants = VARIANTS, .per_minute = 150, .skips = 500, .sorts = true, .family = "graph",                     \
    .resolution = graph_resolution

const struct api api_graph = {
    .name = "graph",
    .sourcetype = "ms:defender:atp:alerts",
    GRAPH_SERVICES,
    .top = 1000,
    .top_first = 1000,
    .permission = "SecurityAlert.Read.All",
    .permissions = "SecurityAlert.Read.All SecurityAlert.ReadWrite.All SecurityIncident.Read.All "
                   "SecurityIncident.ReadWrite.All",
    .ids = API_IDS_DEFENDER,
    .url = alerts_url
};

/* The service answers 400 to more than 50 a page. Alerts are not expanded: in tenants with large incidents that always
 * fails, and alerts have their own API. */
const struct api api_incidents = { .name = "incidents",
                                   .sourcetype = "ms365:defender:incident",
                                   GRAPH_SERVICES,
                                   .top = 50,
                                   .top_first = 50,
                                   .permission = "SecurityIncident.Read.All",
                                   .permissions = "SecurityIncident.Read.All SecurityIncident.ReadWrite.All",
                                   .url = incidents_url };
