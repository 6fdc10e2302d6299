/* splunk/params.h - THE table of input parameters.
 *
 * Loops over it parse, check, default, free and mask the values, print --scheme, and generate README/inputs.conf.spec
 * and the manager page. A new parameter is one entry and its use. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "splunk/input.h"

#define SCHEME_NAME "defender_alerts"
#define APP_NAME    "TA-defender-mssp"
#define SECRET_MASK "********"      /* eight: what Splunk Web's own widget takes for "unchanged" */

enum param_type {
    PARAM_TENANT,       /* GUID or domain */
    PARAM_GUID,
    PARAM_SECRET,
    PARAM_FILE,         /* empty or a readable file */
    PARAM_URI,          /* redirect_uri: an absolute URI */
    PARAM_CHOICE,
    PARAM_BASE_URL,     /* scheme, host, port */
    PARAM_TEXT,
    PARAM_FILTER,
    PARAM_START,
    PARAM_SECONDS,
    PARAM_PROXY
};

struct choice {
    const char *value;
    const char *label;          /* what the inputs page shows */
};

struct param {
    const char     *name;
    enum param_type type;
    size_t          offset;     /* of the member in struct input */
    bool            required;
    int64_t         min, max;   /* PARAM_SECONDS */
    const char     *default_text;     /* NULL: none */
    const struct choice *choices;   /* PARAM_CHOICE: in the order of the enum, ended by a NULL value */
    const char     *title;
    const char     *help;       /* one or two sentences for the person who fills it in */
    bool            rare;       /* shown under "More settings" */
};

extern const struct param params[];
extern const size_t params_count;

const struct param *param_find(const char *name);       /* NULL: unknown */

/* Name and value pairs of one stanza as splunkd gave them. */
struct raw_param {
    char *name;
    char *value;
};
struct raw_stanza {
    char *name;                 /* as given: with or without "defender_alerts://" */
    char *app;
    struct raw_param *params;
    size_t count;
};
void raw_stanza_free(struct raw_stanza *stanza);    /* frees the members, not the struct; values are overwritten */

/* Fills *ret from the stanza: every known parameter is parsed, presets filled in, unknown names and splunkd's own keys
 * ignored, and what parameters forbid each other is checked. On false nothing is in *ret, and err says for the first
 * bad parameter its name, what it held (never a secret) and what it should hold. check_files: also that named files
 * can be read. */
bool input_from_stanza(const struct raw_stanza *stanza, bool check_files, struct input *ret, struct err *err);

/* The stanza's name without "defender_alerts://"; points into the stanza. */
const char *stanza_input_name(const struct raw_stanza *stanza);
/* splunkd's own key: such an input is none of ours, in order or not. */
bool stanza_is_disabled(const struct raw_stanza *stanza);

/* Empty, or nothing but '*': the stored secret is meant. */
bool secret_is_mask(const char *value);
