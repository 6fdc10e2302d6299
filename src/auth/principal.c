#include "auth/principal.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "auth/principal_parts.h"

struct principals *principals_new(struct loop *loop, struct http *http, struct limiter *limiter, struct splunkd *splunkd,
                              void (*session_lost)(void *ctx), void *ctx)
{
    struct principals *principals = mem_alloc(sizeof(*principals));

    *principals = (struct principals){ .loop = loop, .http = http, .limiter = limiter, .splunkd = splunkd,
                                   .session_lost = session_lost, .ctx = ctx };
    return principals;
}

static void access_free(struct access *access)
{
    limiter_release(&access->slot);
    timer_cancel(access->principal->principals->loop, &access->store_timer);
    if (access->request)
        http_cancel(access->request);
    token_release(&access->token);
    token_release(&access->fresh);
    mem_free_secret(access->code);
    free(access->redirect_uri);
    free(access->resource);
    free(access);
}

static void principal_free(struct principal *principal)
{
    struct access *access;

    while ((access = principal->accesses)) {
        principal->accesses = access->next;
        access_free(access);
    }
    mem_free_secret(principal->client_secret);
    mem_free_secret(principal->refresh_token);
    free(principal->tenant_id);
    free(principal->client_id);
    free(principal->login_url);
    free(principal->certificate);
    free(principal);
}

void principals_free(struct principals *principals)
{
    struct principal *principal;

    if (!principals)
        return;
    while ((principal = principals->first)) {
        principals->first = principal->next;
        principal_free(principal);
    }
    certificates_free(&principals->certificates);
    free(principals);
}

bool principals_storing(const struct principals *principals)
{
    const struct principal *principal;
    const struct access *access;

    for (principal = principals->first; principal; principal = principal->next)
        for (access = principal->accesses; access; access = access->next)
            if ((access->storing && !access->store_timer.heap_index) || (principal->redeeming == access && access->request))
                return true;
    return false;
}

static bool same_route(const struct http_route *a, const struct http_route *b)
{
    return text_same(a->ca_file, b->ca_file) && text_same(a->proxy, b->proxy);
}

struct principal *principal_get(struct principals *principals, const struct principal_spec *spec)
{
    uint64_t hash = hash128_of(spec->tenant_id, strlen(spec->tenant_id)).low;
    struct principal *principal;

    for (principal = principals->first; principal; principal = principal->next)
        if (principal->hash == hash && text_same(principal->tenant_id, spec->tenant_id) &&
            text_same(principal->client_id, spec->client_id) &&
            text_same(principal->login_url, spec->login_url) && text_same(principal->certificate, spec->certificate) &&
            same_route(principal->route, spec->route))
            return principal;
    principal = mem_alloc(sizeof(*principal));
    principal->principals = principals;
    principal->hash = hash;
    principal->tenant_id = mem_text(spec->tenant_id);
    principal->client_id = mem_text(spec->client_id);
    principal->login_url = mem_text(spec->login_url);
    principal->certificate = mem_text(spec->certificate);
    if (spec->certificate)
        principal->cert = certificate_get(&principals->certificates, spec->certificate);
    principal->route = spec->route;
    principal->next = principals->first;
    return principals->first = principal;
}

struct access *access_get(struct principal *principal, const char *resource, bool v1)
{
    struct access *access;

    for (access = principal->accesses; access; access = access->next)
        if (text_same(access->resource, resource) && access->v1 == v1)
            return access;
    access = mem_alloc(sizeof(*access));
    access->principal = principal;
    access->resource = mem_text(resource);
    access->v1 = v1;
    access_init(access);
    access->next = principal->accesses;
    return principal->accesses = access;
}

struct principal *token_source_principal(const struct access *access)
{
    return access->principal;
}

/* Credentials. */

static void try_again(struct principal *principal)
{
    struct access *access;

    for (access = principal->accesses; access; access = access->next) {
        if (!access->failed)
            continue;
        access->failed = false;
        access->failures = access->refusals = 0;
        access_tell(access);
    }
}

static void set_credential(struct principal *principal, char **slot, const char *value)
{
    if (text_same(*slot, value))
        return;
    mem_free_secret(*slot);
    *slot = mem_text(value);
    try_again(principal);
}

void principal_set_secret(struct principal *principal, const char *client_secret)
{
    set_credential(principal, &principal->client_secret, client_secret);
}

void principal_set_refresh_token(struct principal *principal, const char *refresh_token)
{
    set_credential(principal, &principal->refresh_token, refresh_token);
}

void principals_look_at_certificates(struct principals *principals)
{
    struct certificate *cert;
    struct principal *principal;

    for (cert = principals->certificates; cert; cert = certificate_next(cert)) {
        if (!certificate_renewed(cert))
            continue;
        for (principal = principals->first; principal; principal = principal->next)
            if (principal->cert == cert)
                try_again(principal);
    }
}

bool principal_certificate_days(const struct principal *principal, int64_t *ret)
{
    return principal->cert && certificate_days(principal->cert, ret);
}
