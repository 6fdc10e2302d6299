/* command/check_report.h - the findings of `check`, as a table or JSON. */
#pragma once

#include <stdio.h>

#include "command/check_look.h"
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
    CHECK_FAILING,     /* transient */
    CHECK_NOT_TRIED    /* would use up a refresh token that cannot be replaced */
};

struct outcome {
    const char *input, *tenant_id, *client_id, *api, *permission;
    enum check_result result;
    struct err err;                        /* why it is not ok */
    const struct finding *login, *service; /* NULL: not tried */
    bool has_token;
    struct claims claims;
    bool lacks_permission;
    struct look_found newest; /* all zero: not searched */
    bool has_clock;
    int64_t clock_offset_ms; /* service minus ours */
    bool has_days;
    int64_t certificate_days;
    char note[600]; /* what is odd about an input that is ok, in sentences; "": nothing */
};

/* Returns "ok", "bad input", ... */
const char *result_word(enum check_result result);

/* Prints a table with a sentence below each row that is not ok. */
void report_table(const struct outcome *const *rows, size_t count, bool colors, FILE *to);
/* Prints one JSON object: "ok", and one object for each input. */
void report_json(const struct outcome *const *rows, size_t count, FILE *to);
