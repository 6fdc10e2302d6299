#include "microsoft/api.h"

#include <string.h>

#include "base/text.h"

static const struct api *const apis[API_KINDS] = { &api_graph, &api_endpoint, &api_siem, &api_incidents };

static const char *const login_hosts[API_CLOUDS] = { "https://login.microsoftonline.com",
                                                     "https://login.microsoftonline.com",
                                                     "https://login.microsoftonline.us",
                                                     "https://login.microsoftonline.us" };

const struct api *api_at(int kind)
{
    return apis[kind];
}

const char *login_host(int cloud)
{
    return login_hosts[cloud];
}

bool api_days_left(const struct api *api, ticks now, int64_t *ret)
{
    const int64_t day = 86400 * TICKS_PER_SECOND;
    ticks end;

    if (!api->ends || !ticks_parse(api->ends, strlen(api->ends), &end))
        return false;
    *ret = api_ceil(end - now, day) / day;
    return true;
}

bool api_same_ids(const struct api *api, const char *other)
{
    size_t i;

    for (i = 0; i < COUNT_OF(apis); i++)
        if (text_same_nocase(apis[i]->name, other))
            return apis[i] == api || (api->ids && text_same(apis[i]->ids, api->ids));
    return false;
}

ticks api_floor(ticks time, ticks resolution)
{
    ticks rest = time % resolution;

    return time - (rest < 0 ? rest + resolution : rest);
}

ticks api_ceil(ticks time, ticks resolution)
{
    ticks down = api_floor(time, resolution);

    return down == time ? time : down + resolution;
}

void api_add_order(const struct api *api, struct buf *url)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(1 << 10);

    buf_add_format(&text, "%s asc", api->shape.time);
    buf_add_form(url, "$orderby", buf_text(&text));
}

void api_add_count(struct buf *url)
{
    buf_add_form(url, "$count", "true");
}

void api_add_select(const struct api *api, struct buf *url)
{
    buf_add_format(url, "&$select=%s,%s", api->shape.id, api->shape.time);
}

void api_add_filter(struct buf *ret, const struct api_query *query, const char *field, int digits)
{
    struct buf text = BUF_INIT(1 << 20);
    ticks resolution = digits ? 1 : TICKS_PER_SECOND;
    char time[TICKS_TEXT_MAX];

    ticks_text_digits(api_floor(query->lo, resolution), digits, time);
    buf_add_text(&text, field);
    buf_add_text(&text, " ge ");
    buf_add_text(&text, time);
    if (query->hi != TICKS_OPEN) {
        ticks_text_digits(api_ceil(query->hi, resolution), digits, time);
        buf_add_format(&text, " and %s lt %s", field, time);
    }
    if (!text_empty(query->filter))
        buf_add_format(&text, " and (%s)", query->filter);
    buf_add_form(ret, "$filter", buf_text(&text));
    buf_free(&text);
}
