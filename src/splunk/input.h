/* splunk/input.h - one input stanza: its parameters as typed values.
 *
 * Filled, checked and freed by the table in splunk/params.c; nothing else knows a parameter's name. */
#pragma once

#include "base/compiler.h"
#include "base/ticks.h"

enum api_kind { API_GRAPH, API_ENDPOINT, API_SIEM, API_INCIDENTS, API_COUNT };
enum cloud { CLOUD_COMMERCIAL, CLOUD_GCC, CLOUD_GCC_HIGH, CLOUD_DOD, CLOUD_COUNT };

/* start_time as given: a moment, or so many seconds before the input's first poll. */
struct start_time {
    bool    relative;
    int64_t back_s;
    ticks   time;
};

struct input {
    char *name;                 /* without "defender_alerts://" */
    char *app;                  /* where the stanza lives; "" when splunkd did not say */
    bool  disabled;
    bool  has_sourcetype;       /* the stanza sets its own, so none is written */

    char *tenant_id;            /* lower case */
    char *client_id;            /* lower case */
    char *client_secret;        /* secrets: NULL = not given, mask or empty; otherwise clear text as it came */
    char *client_certificate;
    char *refresh_token;
    char *authorization_code;
    char *redirect_uri;
    int   api;                  /* enum api_kind */
    int   cloud;                /* enum cloud */
    char *login_url;            /* NULL: by cloud and api */
    char *api_url;
    char *resource;
    char *filter;
    struct start_time start_time;
    int64_t poll_interval;      /* seconds */
    int64_t overlap;            /* seconds */
    char *proxy;                /* never with its password: "http://user@host:port" (splunk/proxy.h puts it back) */
    char *proxy_password;       /* secret: clear text that came inside proxy; NULL when masked or none */
    char *ca_file;
};

void input_free(struct input *input);   /* the members, not the struct; NULL is fine; secrets are overwritten */

/* The input's name for log lines; the caller's to free. key=value ends a value at a blank, so other names than plain
 * ones stand in quotes. */
char *input_label(const char *name);
