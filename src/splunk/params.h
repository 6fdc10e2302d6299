/* splunk/params.h - the table of input parameters.
 *
 * Loops over it parse, validate, fill in defaults, free and mask the values (stanza.c), print --scheme, and generate
 * README/inputs.conf.spec and the inputs page. A new parameter is one entry and the code that uses it. */
#pragma once

#include "base/compiler.h"

enum param_type {
    PARAM_TENANT, /* GUID or domain */
    PARAM_GUID,
    PARAM_SECRET,
    PARAM_FILE,      /* empty or a readable file */
    PARAM_ASSERTION, /* client_assertion: managed_identity[:GUID] or file:/path */
    PARAM_URI,       /* redirect_uri: an absolute URI */
    PARAM_CHOICE,
    PARAM_BASE_URL, /* scheme, host, port */
    PARAM_TEXT,
    PARAM_FILTER,
    PARAM_START,
    PARAM_SECONDS,
    PARAM_PROXY,
    PARAM_SHARE_URLS, /* 1 to 8 management addresses, blanks or commas between */
    PARAM_GROUP       /* the name of a group: letters, digits, '_' and '-' */
};

struct choice {
    const char *value;
    const char *label; /* what the inputs page shows */
};

/* Where the inputs page shows a parameter. GROUP_SHARED: nowhere, nor is it in a CSV file. Forwarders that share their
 * inputs get it for all of them, in the stanza [defender_alerts]. */
enum param_group { GROUP_MAIN, GROUP_DELEGATED, GROUP_NETWORK, GROUP_MORE, GROUP_SHARED };

struct param {
    const char *name;
    enum param_type type;
    size_t offset; /* of the member in struct input */
    bool required;
    int64_t min, max;             /* PARAM_SECONDS */
    const char *unit;             /* ... of the number; NULL: seconds */
    const char *default_text;     /* NULL: none */
    const struct choice *choices; /* PARAM_CHOICE: in the order of the enum, ended by a NULL value */
    const char *title;
    const char *help; /* one or two sentences for the person who fills it in */
    const char *hint; /* under the box: "Example: " and a value that is accepted, or a few words; no markup */
    enum param_group group;
};

extern const struct param params[];
extern const size_t params_count;

/* Returns the parameter of that name, or NULL. */
const struct param *param_find(const char *name);
