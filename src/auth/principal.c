#include "auth/principal.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "auth/principal_private.h"

struct principals *principals_new(struct loop *loop, struct http *http, struct limiter *limiter, struct passwords *passwords,
                              void (*session_lost)(void *ctx), void *ctx)
{
    struct principals *principals = mem_alloc(sizeof(*principals));

    *principals = (struct principals){ .loop = loop, .http = http, .limiter = limiter, .passwords = passwords,
                                   .session_lost = session_lost, .ctx = ctx };
    return principals;
}

static void token_source_free(struct token_source *source)
{
    limiter_release(&source->slot);
    timer_cancel(source->principal->principals->loop, &source->store_timer);
    if (source->request)
        http_cancel(source->request);
    token_release(&source->token);
    token_release(&source->fresh);
    mem_free_secret(source->code);
    free(source->redirect_uri);
    free(source->resource);
    free(source);
}

static void principal_free(struct principal *principal)
{
    struct token_source *source;

    while ((source = principal->sources)) {
        principal->sources = source->next;
        token_source_free(source);
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
    const struct token_source *source;

    for (principal = principals->first; principal; principal = principal->next)
        for (source = principal->sources; source; source = source->next)
            if ((source->storing && !timer_is_set(&source->store_timer)) ||
                (principal->redeeming == source && source->request))
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

struct token_source *token_source_get(struct principal *principal, const char *resource, bool v1)
{
    struct token_source *source;

    for (source = principal->sources; source; source = source->next)
        if (text_same(source->resource, resource) && source->v1 == v1)
            return source;
    source = mem_alloc(sizeof(*source));
    source->principal = principal;
    source->resource = mem_text(resource);
    source->v1 = v1;
    token_source_init(source);
    source->next = principal->sources;
    return principal->sources = source;
}

struct principal *token_source_principal(const struct token_source *source)
{
    return source->principal;
}

/* Credentials. */

static void try_again(struct principal *principal)
{
    struct token_source *source;

    for (source = principal->sources; source; source = source->next) {
        if (!source->failed)
            continue;
        source->failed = false;
        source->failures = source->refusals = 0;
        token_source_tell(source);
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
