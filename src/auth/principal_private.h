/* auth/principal_private.h - what principal.c (who signs in, with what) and source.c (fetching the tokens) share. Private
 * to the two. */
#pragma once

#include "auth/principal.h"
#include "auth/certificate.h"

struct token_source {
    struct principal *principal;
    struct token_source  *next;
    char           *resource;
    bool            v1;
    struct token    token;
    uint64_t        token_number;   /* counts the tokens */
    struct token    fresh;          /* its refresh token is being stored; not used before that */
    bool            storing;
    bool            sending;        /* queued or under way */
    bool            wanted;         /* waits for another access of the account that redeems the refresh token */
    enum token_grant grant;         /* of the request under way */
    char           *code;           /* authorization code to be exchanged; secret */
    char           *redirect_uri;
    void          (*exchanged)(void *ctx, bool ok, const struct err *err);
    void           *exchanged_ctx;
    struct slot   slot;
    struct http_request *request;
    struct timer    store_timer;
    struct err      err;
    bool            failed;
    int             failures, refusals;
    int64_t         retry_ms;
    int64_t         clock_offset_ms;
    bool            has_clock;
    struct token_listener *listeners;
};

struct principal {
    struct principals *principals;
    struct principal  *next;
    uint64_t hash;              /* of tenant_id, for the search */
    char *tenant_id, *client_id, *login_url, *certificate;
    const struct http_route *route;
    char *client_secret;        /* secret */
    char *refresh_token;        /* secret */
    struct certificate *cert;   /* of the file named by certificate; NULL without one */
    enum assertion_form form;
    struct token_source *sources;
    struct token_source *redeeming;   /* only one at a time may redeem the refresh token */
};

struct principals {
    struct loop    *loop;
    struct http    *http;
    struct limiter    *limiter;
    struct passwords *passwords;
    void          (*session_lost)(void *ctx);
    void           *ctx;
    struct principal *first;
    struct certificate *certificates;
};

/* source.c: makes an access ready for use; principal.c owns and frees it. */
void token_source_init(struct token_source *source);
/* Calls the listeners. */
void token_source_tell(struct token_source *source);
