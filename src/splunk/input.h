/* splunk/input.h - one input: its parameters as typed values.
 *
 * Filled, validated and freed by splunk/stanza.c, by the table in splunk/params.c. */
#pragma once

#include "base/compiler.h"
#include "base/ticks.h"

enum api_kind { API_GRAPH, API_ENDPOINT, API_SIEM, API_INCIDENTS, API_COUNT };
/* Which files that parameters name are looked at. A token file is one that others renew: it may come later, and each
 * sign-in reads it. */
enum file_check { CHECK_NO_FILES, CHECK_FILES, CHECK_LASTING_FILES };

enum allow_update { ALLOW_UPDATE_NO, ALLOW_UPDATE_YES, ALLOW_UPDATE_COUNT };
enum share_lost { SHARE_LOST_CONTINUE, SHARE_LOST_STOP, SHARE_LOST_COUNT };
enum cloud { CLOUD_COMMERCIAL, CLOUD_GCC, CLOUD_GCC_HIGH, CLOUD_DOD, CLOUD_COUNT };

/* start_time as given: a point in time, or seconds before the input's first poll. */
struct start_time {
    bool relative;
    int64_t back_s;
    ticks time;
};

/* The words of client_assertion. */
#define INPUT_IDENTITY   "managed_identity" /* alone, or with ":" and the client ID of a user-assigned identity */
#define INPUT_TOKEN_FILE "file:"
enum { INPUT_TOKEN_MAX = 16384 }; /* bytes of a token file; Entra's and Kubernetes' tokens take 1 to 3 KB */

struct input {
    char *name; /* without "defender_alerts://" */
    char *app;  /* where the stanza lives; "" when splunkd did not say */
    bool disabled;
    bool has_sourcetype; /* the stanza sets its own, so events carry none */

    char *tenant_id;     /* lower case */
    char *client_id;     /* lower case */
    char *client_secret; /* secrets: plaintext as given; NULL: not given, empty or a mask */
    char *client_certificate;
    char *client_assertion; /* "managed_identity", "managed_identity:<lower-case GUID>" or "file:/path" */
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
    int64_t audit;         /* days that are compared with the service each night; 0: none */
    char *proxy;           /* without the password: "http://user@host:port" (splunk/proxy.h puts it back) */
    char *proxy_password;  /* secret: plaintext from inside proxy; NULL: masked or none */
    char *ca_file;
    int allow_update; /* enum allow_update */
    char *share_url;  /* addresses, blanks or commas between; NULL: the input is this forwarder's alone */
    char *share_group;
    char *share_ca_file;
    int share_lost; /* enum share_lost */
};

/* Returns the path in a client_assertion; NULL: it names no file. */
const char *input_token_file(const char *client_assertion);

/* Returns the input's name for log lines. Names other than plain ones are quoted, since key=value ends a value at a
 * blank. Caller frees. */
char *input_label(const char *name);
