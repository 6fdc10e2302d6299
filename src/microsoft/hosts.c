#include "microsoft/hosts.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/url.h"

#define HTTPS "https://"

enum service { SERVICE_NONE, SERVICE_SIGN_IN, SERVICE_GRAPH, SERVICE_DEFENDER };

/* '*' is one or more characters: of any labels at the start of a pattern, of one label inside of it. */
static const struct {
    enum service service;
    const char *pattern;
} table[] = { { SERVICE_SIGN_IN, "login.microsoftonline.com" },
              { SERVICE_SIGN_IN, "login.microsoftonline.us" },
              { SERVICE_SIGN_IN, "login.windows.net" },
              { SERVICE_SIGN_IN, "sts.windows.net" },
              { SERVICE_GRAPH, "graph.microsoft.com" },
              { SERVICE_GRAPH, "graph.microsoft.us" },
              { SERVICE_GRAPH, "dod-graph.microsoft.us" },
              { SERVICE_DEFENDER, "*.security.microsoft.com" },
              { SERVICE_DEFENDER, "*.security.microsoft.us" },
              { SERVICE_DEFENDER, "*.securitycenter.microsoft.com" },
              { SERVICE_DEFENDER, "*.securitycenter.microsoft.us" },
              { SERVICE_DEFENDER, "*.securitycenter.windows.com" },
              { SERVICE_DEFENDER, "*.securitycenter.windows.us" },
              { SERVICE_DEFENDER, "wdatp-alertexporter-*.windows.com" } };

static bool fits(const char *host, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    size_t before = star ? (size_t)(star - pattern) : 0, after = star ? strlen(star + 1) : 0, len = strlen(host),
           middle;

    if (!star)
        return text_same(host, pattern);
    if (len <= before + after || strncmp(host, pattern, before) != 0 || strcmp(host + len - after, star + 1) != 0)
        return false;
    middle = strspn(host + before,
                    before ? "abcdefghijklmnopqrstuvwxyz0123456789-" : "abcdefghijklmnopqrstuvwxyz0123456789-.");
    return middle >= len - before - after;
}

static enum service service_of(const char *url)
{
    CLEANUP(mem_freep) char *origin = url_origin(url);
    size_t i;

    if (!origin || !text_starts(origin, HTTPS))
        return SERVICE_NONE;
    for (i = 0; i < COUNT_OF(table); i++)
        if (fits(origin + strlen(HTTPS), table[i].pattern))
            return table[i].service;
    return SERVICE_NONE;
}

bool hosts_sign_in(const char *url)
{
    return service_of(url) == SERVICE_SIGN_IN;
}

bool hosts_serve(const char *url, const char *audience)
{
    enum service service = service_of(url), meant = service_of(audience);

    if (service != SERVICE_GRAPH && service != SERVICE_DEFENDER)
        return false;
    return meant == SERVICE_NONE || meant == service;
}
