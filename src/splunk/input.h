/* splunk/input.h - one input: its parameters as typed values.
 *
 * Filled, validated and freed by splunk/stanza.c, by the table in splunk/params.c. */
#pragma once

#include "base/compiler.h"
#include "base/ticks.h"

enum api_kind { API_GRAPH, API_ENDPOINT, API_SIEM, API_INCIDENTS, API_COUNT };
enum cloud { CLOUD_COMMERCIAL, CLOUD_GCC, CLOUD_GCC_HIGH, CLOUD_DOD, CLOUD_COUNT };

/* start_time as given: a point in time, or seconds before the input's first poll. */
struct start_time {
    bool relative;
    int64_t back_s;
    ticks time;
};

struct input {
    char *name; /* without "defender_alerts://" */
    char *app;  /* where the stanza lives; "" when splunkd did not say */
    bool disabled;
    bool has_sourcetype; /* the stanza sets its own, so events carry none */

    char *tenant_id;     /* lower case */
    char *client_id;     /* lower case */
    char *client_secret; /* secrets: plaintext as given; NULL: not given, empty or a mask */
    char *client_certificate;
    char *refresh_token;
    char *authorization_code;
    char *redirect_uri;
    int api;         /* enum api_kind */
    int cloud;       /* enum cloud */
    char *login_url; /* NULL: by cloud and api */
    char *api_url;
    char *resource;
    char *filter;
    struct start_time start_time;
    int64_t poll_interval; /* seconds */
    int64_t overlap;       /* seconds */
    char *proxy;           /* without the password: "http://user@host:port" (splunk/proxy.h puts it back) */
    char *proxy_password;  /* secret: plaintext from inside proxy; NULL: masked or none */
    char *ca_file;
};

/* Returns the input's name for log lines. Names other than plain ones are quoted, since key=value ends a value at a
 * blank. Caller frees. */
char *input_label(const char *name);
