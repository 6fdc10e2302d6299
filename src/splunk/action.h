/* splunk/action.h - what splunkd writes to the stdin of a custom alert action: a JSON object (payload_format = json in
 * alert_actions.conf). Source: Splunk's developer guide, "Write the script for a custom alert action". */
#pragma once

#include "base/err.h"
#include "base/json.h"

#define ACTION_PAYLOAD_MAX (16 * 1024 * 1024) /* bytes; it has one row of the results */

struct action {
    cJSON *tree; /* holds the session key; owns all texts */
    const char *server_uri, *session_key;
    const char *owner, *search_name, *sid; /* "" if not said */
};

/* Reads the payload. Returns false with err (ERR_INPUT) if it is none. Free *ret with action_release(). */
bool action_read(const char *bytes, size_t len, struct action *ret, struct err *err);
void action_release(struct action *action); /* overwrites the session key */

/* Returns a parameter of the action, "" if it is not set. Borrowed. */
const char *action_param(const struct action *action, const char *name);
/* Returns a field of the first row of results, of several values the first; "" if there is none. Borrowed. */
const char *action_field(const struct action *action, const char *name);

/* Returns true unless a parameter is no text, or still has a token such as $result.id$, which splunkd found no value
 * for. */
bool action_is_filled(const struct action *action, struct err *err);
