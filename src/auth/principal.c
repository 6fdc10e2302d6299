#include "auth/principal.h"

#include <stdlib.h>
#include <string.h>

#include "auth/credential.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

struct principals *principals_new(struct loop *loop, struct http *http, struct limiter *limiter,
                                  struct passwords *passwords, void (*session_lost)(void *ctx), void *ctx)
{
    struct principals *principals = mem_alloc(sizeof(*principals));

    *principals = (struct principals){ .loop = loop,
                                       .http = http,
                                       .limiter = limiter,
                                       .passwords = passwords,
                                       .session_lost = session_lost,
                                       .ctx = ctx };
    return principals;
}

static void principal_free(struct principal *principal)
{
    struct credential_user *user;

    while ((user = principal->users)) {
        principal->users = user->next;
        user->free(user);
    }
    mem_free_secret(principal->client_secret);
    mem_free_secret(principal->refresh_token);
    mem_free_secret(principal->proxy);
    free(principal->secret_hosts);
    free(principal->refresh_hosts);
    free(principal->ca_file);
    free(principal->tenant_id);
    free(principal->client_id);
    free(principal->login_url);
    free(principal->certificate);
    free(principal->assertion);
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
    federations_free(&principals->federations);
    free(principals);
}

bool principals_storing(const struct principals *principals)
{
    const struct principal *principal;
    const struct credential_user *user;

    for (principal = principals->first; principal; principal = principal->next)
        for (user = principal->users; user; user = user->next)
            if (user->storing(user))
                return true;
    return false;
}

static bool same_route(const struct http_route *a, const struct http_route *b)
{
    return text_same(a->ca_file, b->ca_file) && text_same(a->proxy, b->proxy) && a->loopback_name == b->loopback_name;
}

static bool is_of(const struct principal *principal, const struct principal_spec *spec, uint64_t hash)
{
    return principal->hash == hash && text_same(principal->tenant_id, spec->tenant_id) &&
           text_same(principal->client_id, spec->client_id) && text_same(principal->login_url, spec->login_url) &&
           text_same(principal->certificate, spec->certificate) && text_same(principal->assertion, spec->assertion) &&
           same_route(&principal->route, spec->route);
}

static void credential_changed(struct principal *principal)
{
    struct credential_user *user;

    for (user = principal->users; user; user = user->next)
        user->credential_changed(user);
}

/* A managed identity's token has come, or has not: goes on with whoever waits for it. */
static void settled(void *ctx, const struct federation *federation, bool recovered)
{
    struct principals *principals = ctx;
    struct principal *principal;
    struct credential_user *user;

    for (principal = principals->first; principal; principal = principal->next) {
        if (principal->federation != federation)
            continue;
        if (recovered)
            credential_changed(principal);
        for (user = principal->users; user; user = user->next)
            user->assertion_settled(user);
    }
}

static struct principal *principal_new(struct principals *principals, const struct principal_spec *spec, uint64_t hash)
{
    struct principal *principal = mem_alloc(sizeof(*principal));

    principal->principals = principals;
    principal->hash = hash;
    principal->tenant_id = mem_text(spec->tenant_id);
    principal->client_id = mem_text(spec->client_id);
    principal->login_url = mem_text(spec->login_url);
    principal->certificate = mem_text(spec->certificate);
    if (spec->certificate)
        principal->cert = certificate_get(&principals->certificates, spec->certificate);
    principal->assertion = mem_text(spec->assertion);
    if (spec->assertion)
        principal->federation = federation_get(&principals->federations, spec->assertion, spec->login_url, settled,
                                               principals);
    principal->ca_file = mem_text(spec->route->ca_file);
    principal->proxy = mem_text(spec->route->proxy);
    principal->route = *spec->route;
    principal->route.ca_file = principal->ca_file;
    principal->route.proxy = principal->proxy;
    return principal;
}

/* A list with a hash: tenant ids that differ only at their ends would make thousands of comparisons slow. */
struct principal *principal_get(struct principals *principals, const struct principal_spec *spec)
{
    uint64_t hash = hash128_of(spec->tenant_id, strlen(spec->tenant_id)).low;
    struct principal *principal;

    for (principal = principals->first; principal; principal = principal->next)
        if (is_of(principal, spec, hash))
            return principal;
    principal = principal_new(principals, spec, hash);
    principal->next = principals->first;
    return principals->first = principal;
}

/* Credentials. */

static void set_credential(struct principal *principal, char **slot, const char *value, char **hosts_slot,
                           const char *hosts)
{
    CLEANUP(mem_freep) char *fresh = mem_text(hosts ? hosts : "");

    if (text_same(*slot, value) && text_same(*hosts_slot, fresh))
        return;
    mem_freep(hosts_slot);
    *hosts_slot = mem_take(&fresh);
    if (!text_same(*slot, value)) {
        mem_free_secret(*slot);
        *slot = mem_text(value);
    }
    credential_changed(principal);
}

void principal_set_secret(struct principal *principal, const char *client_secret, const char *hosts)
{
    set_credential(principal, &principal->client_secret, client_secret, &principal->secret_hosts, hosts);
}

void principal_set_refresh_token(struct principal *principal, const char *refresh_token, const char *hosts)
{
    set_credential(principal, &principal->refresh_token, refresh_token, &principal->refresh_hosts, hosts);
}

const char *principal_credential(const struct principal *principal)
{
    if (principal->refresh_token)
        return "refresh_token";
    if (principal->federation)
        return federation_word(principal->federation);
    return principal->certificate ? "certificate" : principal->client_secret ? "secret" : "none";
}

void principals_look_at_files(struct principals *principals)
{
    struct certificate *cert;
    struct federation *federation;
    struct principal *principal;

    for (cert = principals->certificates; cert; cert = certificate_next(cert)) {
        if (!certificate_renewed(cert))
            continue;
        for (principal = principals->first; principal; principal = principal->next)
            if (principal->cert == cert)
                credential_changed(principal);
    }
    for (federation = principals->federations; federation; federation = federation_next(federation)) {
        if (!federation_renewed(federation))
            continue;
        for (principal = principals->first; principal; principal = principal->next)
            if (principal->federation == federation)
                credential_changed(principal);
    }
}

bool principal_certificate_days(const struct principal *principal, int64_t *ret)
{
    return principal->cert && certificate_days(principal->cert, ret);
}

struct principal *principal_in_tenant(struct principal *principal, const char *tenant_id)
{
    struct principal *other;

    if (text_same_nocase(principal->tenant_id, tenant_id))
        return principal;
    other = principal_get(principal->principals, &(struct principal_spec){ .tenant_id = tenant_id,
                                                                           .client_id = principal->client_id,
                                                                           .login_url = principal->login_url,
                                                                           .certificate = principal->certificate,
                                                                           .assertion = principal->assertion,
                                                                           .route = &principal->route });
    principal_set_secret(other, principal->client_secret, principal->secret_hosts);
    return other;
}

bool principal_shows_own(const struct principal *principal)
{
    return !principal->refresh_token && !principal->assertion && (principal->client_secret || principal->certificate);
}
