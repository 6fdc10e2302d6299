#include "command/save_notice.h"

#include <stdlib.h>

#include "base/text.h"
#include "splunk/notices.h"

struct notice_trip {
    struct loop *loop;
    bool ok;
    struct err err;
};

static void ended(void *ctx, bool ok, const struct err *err)
{
    struct notice_trip *trip = ctx;

    trip->ok = ok;
    trip->err = *err;
    loop_stop(trip->loop);
}

/* Shows the text, or removes the notice if it is NULL. */
static bool change(const struct config *config, int most_s, enum notice_kind kind, const char *input_name,
                   const char *text, struct err *err)
{
    const char *topic = kind == NOTICE_DUPLICATE ? "duplicate" : NULL;
    struct notice_trip trip = { .loop = NULL };
    struct http *http;
    struct rest *rest;
    struct notices *notices;

    if (text_empty(config->session_key) || text_empty(config->server_uri))
        return err_set(err, ERR_INPUT, "splunkd gave no session key");
    trip.loop = loop_new();
    http = http_new(trip.loop);
    rest = rest_new(trip.loop, http, config->server_uri, config->session_key, getenv("SPLUNK_HOME"));
    rest_hurry(rest, most_s);
    notices = notices_new(rest);
    if (text)
        notices_show(notices, topic, input_name, text, ended, &trip);
    else
        notices_remove(notices, topic, input_name, ended, &trip);
    loop_run(trip.loop);
    notices_free(notices);
    rest_free(rest);
    http_free(http);
    loop_free(trip.loop);
    *err = trip.err;
    return trip.ok;
}

bool save_notice_show(const struct config *config, int most_s, enum notice_kind kind, const char *input_name,
                      const char *text, struct err *err)
{
    return change(config, most_s, kind, input_name, text, err);
}

void save_notice_remove(const struct config *config, int most_s, enum notice_kind kind, const char *input_name)
{
    struct err err;

    change(config, most_s, kind, input_name, NULL, &err);
}
