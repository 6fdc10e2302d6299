/* command/check_report.h - the findings of `check`, for people or as JSON. */
#pragma once

#include <stdio.h>

#include "command/check_host.h"
#include "command/check_look.h"
#include "command/compare.h"
#include "command/wrap.h"
#include "microsoft/claims.h"

/* An endpoint that was tried: the sign-in service or an alert API. */
struct finding {
    const char *url;
    const char *ca_file; /* NULL: none needed (http on loopback) */
    bool proxied;        /* by the input's proxy parameter */
    bool done;
    enum http_fault fault; /* HTTP_DONE: it answered */
    struct http_trace trace;
    enum diagnosis diagnosis; /* of another fault, and its sentence */
    char reason[768];
};

enum check_result {
    CHECK_OK,
    CHECK_BAD_INPUT,   /* a parameter of the stanza is bad */
    CHECK_UNREACHABLE, /* DNS, TCP, proxy or TLS */
    CHECK_REFUSED,     /* a person has to act */
    CHECK_LOST,        /* the same for a customer that worked before: collect/loss.h */
    CHECK_FAILING,     /* transient */
    CHECK_NOT_TRIED    /* would use up a refresh token that cannot be replaced */
};

struct outcome {
    const char *input, *tenant_id, *client_id, *api, *permission;
    enum check_result result;
    struct err err;                        /* why it is not ok */
    const struct finding *login, *service; /* NULL: not tried */
    const char *credential;                /* see principal_credential(); NULL: no token */
    bool has_token;
    struct claims claims;
    bool lacks_permission;
    struct look_found newest; /* all zero: not searched */
    bool has_clock;
    int64_t clock_offset_ms; /* service minus ours */
    bool has_days;
    int64_t certificate_days;
    struct compared compared; /* with another API; COMPARE_NOT: it was not */
    bool ends;                /* Microsoft ends the API */
    int64_t ends_days;
    const char *ends_on;
    char note[600]; /* what is odd about an input that is ok, in sentences; "": nothing */
};

struct report {
    const struct outcome *const *rows;
    size_t count;
    const struct host_finding *host;
    size_t host_count;
    const struct host_section *share; /* the store that forwarders share; NULL: they do not */
    size_t share_count;
    bool only_bad;                   /* shows no input that is ok */
    const struct api *compared_with; /* NULL: none */
    int compared_days;
};

/* Returns "ok", "bad input", ... */
const char *result_word(enum check_result result);
/* Returns true if every input is ok, and nothing on this host or at the shared store is bad. */
bool report_is_good(const struct report *report);

/* Prints what a comparison found: a line for each input, and the IDs that only one side has. */
void report_compared(const struct report *report, struct wrap *to);
/* Adds the member "compared" of an input's object. */
void report_compared_json(const struct outcome *row, struct buf *out);
/* Returns true if every input that was compared may be moved to the other API. */
bool report_all_ready(const struct report *report);

/* Prints for people: inputs that are not ok first, with their reasons; a short line for each that is ok; what they have
 * in common; the causes. */
void report_table(const struct report *report, struct wrap *to);
/* Prints one JSON object: "ok", "host", "share", and one object for each input. */
void report_json(const struct report *report, FILE *to);
