#include "collect/retirement.h"

#include <string.h>

#include "messages/notes.h"

#define TEXT_MAX  512
#define NAMES_MAX 1000 /* bytes; long names leave room for fewer */

/* Adds the input's name to those that the line names. Returns false if the line has no room for it. */
static bool add_name(struct buf *names, size_t named, const char *label)
{
    bool fits = named < RETIREMENT_NAMES && names->len + strlen(label) < NAMES_MAX;

    if (fits)
        buf_add_format(names, "%s%s", named ? ", " : "", label);
    return fits;
}

static void log_api(const struct api *api, const struct feed *const *feeds, size_t count)
{
    CLEANUP(buf_free) struct buf names = BUF_INIT(LOG_LINE_MAX);
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
    ticks now = 0;
    int64_t days;
    size_t i, inputs = 0, named = 0;

    for (i = 0; i < count; i++) {
        if (feeds[i]->api != api)
            continue;
        now = ticks_max(now, feed_service_now(feeds[i]));
        inputs++;
        named += add_name(&names, named, feeds[i]->label);
    }
    if (!inputs || !api_days_left(api, now, &days))
        return;
    if (inputs > named)
        buf_add_format(&names, "%s%zu more", named ? " and " : "", inputs - named);
    note_api_ends(&text, api->name, api->ends, days);
    log_event(EVENT_API_ENDS, "api=%s inputs=%zu days_left=%lld ends=%s names=%s %s", api->name, inputs,
              (long long)days, api->ends, QUOTED(buf_text(&names)), buf_text(&text));
}

void retirement_log(const struct feed *const *feeds, size_t count)
{
    int kind;

    for (kind = 0; kind < API_KINDS; kind++)
        if (api_at(kind)->ends)
            log_api(api_at(kind), feeds, count);
}
