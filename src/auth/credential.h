/* auth/credential.h - a service principal's data, for the files of auth/ that sign in with it.
 *
 * principal.c owns it. A token source is known here only by what it wants to be told, so that the two do not depend on
 * each other in a circle. */
#pragma once

#include "auth/certificate.h"
#include "auth/federation.h"
#include "net/http.h"
#include "pacing/limiter.h"
#include "splunk/passwords.h"

/* What uses a principal's credential: a token source. Its first member. */
struct credential_user {
    void (*credential_changed)(struct credential_user *user);
    bool (*storing)(const struct credential_user *user);     /* a new refresh token would be lost with the process */
    void (*assertion_settled)(struct credential_user *user); /* of federation_settled() */
    void (*free)(struct credential_user *user);
    struct credential_user *next;
};

struct principal {
    struct principals *principals;
    struct principal *next;
    uint64_t hash; /* of tenant_id, for the search */
    char *tenant_id, *client_id, *login_url, *certificate;
    struct http_route route; /* of our own ca_file and proxy */
    char *ca_file;
    char *proxy;                   /* with its password: secret */
    char *client_secret;           /* secret */
    char *secret_hosts;            /* where its tokens may go besides hosts of their audience; see passwords_hosts() */
    char *refresh_token;           /* secret */
    char *refresh_hosts;           /* the same for the refresh token */
    char *assertion;               /* client_assertion; NULL: none */
    struct federation *federation; /* of assertion; NULL: none */
    struct certificate *cert;      /* of the file named by certificate; NULL: none */
    enum assertion_form form;
    struct credential_user *users;
    struct credential_user *redeemer; /* the one that may redeem the refresh token or a code; NULL: none does */
};

struct principals {
    struct loop *loop;
    struct http *http;
    struct limiter *limiter;
    struct passwords *passwords; /* NULL: no store */
    void (*session_lost)(void *ctx);
    void *ctx;
    struct principal *first;
    struct certificate *certificates;
    struct federation *federations;
};
