/* auth/principal_private.h - what principal.c and token_source.c share. For them and their unit tests alone. */
#pragma once

#include "auth/certificate.h"
#include "auth/principal.h"
#include "auth/token_source_private.h"

struct principal {
    struct principals *principals;
    struct principal  *next;
    uint64_t hash;                      /* of tenant_id, for the search */
    char *tenant_id, *client_id, *login_url, *certificate;
    struct http_route route;            /* of our own ca_file and proxy */
    char *ca_file;
    char *proxy;                        /* with its password: secret */
    char *client_secret;                /* secret */
    char *refresh_token;                /* secret */
    struct certificate *cert;           /* of the file named by certificate; NULL: none */
    enum assertion_form form;
    struct token_source *sources;
    struct token_source *redeemer;      /* the one that may redeem the refresh token or a code; NULL: none does */
};

struct principals {
    struct loop    *loop;
    struct http    *http;
    struct limiter *limiter;
    struct passwords *passwords;            /* NULL: no store */
    void          (*session_lost)(void *ctx);
    void           *ctx;
    struct principal *first;
    struct certificate *certificates;
};
