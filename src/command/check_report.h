/* command/check_report.h - what `check` found, and how it is shown. */
#pragma once

#include <stdio.h>

#include "command/check_look.h"
#include "microsoft/claims.h"

/* One service on one way: the sign-in service or an alert API, tried once for all inputs that go there alike. */
struct finding {
    const char       *url;
    const char       *ca_file;      /* NULL: none needed (http on loopback) */
    bool              proxied;      /* by the input's proxy parameter */
    bool              done;
    enum http_fault   fault;        /* HTTP_DONE: it answered */
    struct http_trace trace;
    enum diagnosis      diagnosis;      /* when fault is another, and its sentence */
    char              reason[768];
};

enum check_result {
    CHECK_OK,
    CHECK_BAD_INPUT,    /* the stanza cannot be used as it is */
    CHECK_UNREACHABLE,  /* DNS, TCP, proxy or TLS */
    CHECK_REFUSED,      /* a person must act */
    CHECK_FAILING,      /* passes by itself */
    CHECK_NOT_TRIED     /* would use up what cannot be kept */
};

struct outcome {
    const char *input, *tenant_id, *client_id, *api, *permission;
    enum check_result result;
    struct err err;                     /* why it is not ok */
    const struct finding *login, *service;  /* NULL: not tried */
    bool   has_token;
    struct claims claims;
    bool   lacks_permission;
    struct look_found newest;           /* all zero: not looked for */
    bool   has_clock;
    int64_t clock_offset_ms;            /* service minus ours */
    bool   has_days;
    int64_t certificate_days;
};

/* "ok", "bad input", ... */
const char *result_word(enum check_result result);

void report_table(const struct outcome *const *rows, size_t count, bool colours, FILE *to);
void report_json(const struct outcome *const *rows, size_t count, FILE *to);
