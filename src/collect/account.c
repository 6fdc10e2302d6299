#include "collect/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/account_parts.h"

struct accounts *accounts_new(struct loop *loop, struct http *http, struct limiter *limiter, struct splunkd *splunkd,
                              void (*session_lost)(void *ctx), void *ctx)
{
    struct accounts *accounts = mem_alloc(sizeof(*accounts));

    *accounts = (struct accounts){ .loop = loop, .http = http, .limiter = limiter, .splunkd = splunkd,
                                   .session_lost = session_lost, .ctx = ctx };
    return accounts;
}

static void access_free(struct access *access)
{
    limiter_release(&access->slot);
    timer_cancel(access->account->accounts->loop, &access->store_timer);
    if (access->request)
        http_cancel(access->request);
    token_release(&access->token);
    token_release(&access->fresh);
    mem_free_secret(access->code);
    free(access->redirect_uri);
    free(access->resource);
    free(access);
}

static void account_free(struct account *account)
{
    struct access *access;

    while ((access = account->accesses)) {
        account->accesses = access->next;
        access_free(access);
    }
    mem_free_secret(account->client_secret);
    mem_free_secret(account->refresh_token);
    free(account->tenant_id);
    free(account->client_id);
    free(account->login_url);
    free(account->certificate);
    free(account);
}

void accounts_free(struct accounts *accounts)
{
    struct account *account;

    if (!accounts)
        return;
    while ((account = accounts->first)) {
        accounts->first = account->next;
        account_free(account);
    }
    certificates_free(&accounts->certificates);
    free(accounts);
}

bool accounts_storing(const struct accounts *accounts)
{
    const struct account *account;
    const struct access *access;

    for (account = accounts->first; account; account = account->next)
        for (access = account->accesses; access; access = access->next)
            if ((access->storing && !access->store_timer.heap_index) || (account->redeeming == access && access->request))
                return true;
    return false;
}

static bool same_route(const struct http_route *a, const struct http_route *b)
{
    return text_same(a->ca_file, b->ca_file) && text_same(a->proxy, b->proxy);
}

struct account *account_get(struct accounts *accounts, const struct account_spec *spec)
{
    uint64_t hash = hash128_of(spec->tenant_id, strlen(spec->tenant_id)).low;
    struct account *account;

    for (account = accounts->first; account; account = account->next)
        if (account->hash == hash && text_same(account->tenant_id, spec->tenant_id) &&
            text_same(account->client_id, spec->client_id) &&
            text_same(account->login_url, spec->login_url) && text_same(account->certificate, spec->certificate) &&
            same_route(account->route, spec->route))
            return account;
    account = mem_alloc(sizeof(*account));
    account->accounts = accounts;
    account->hash = hash;
    account->tenant_id = mem_text(spec->tenant_id);
    account->client_id = mem_text(spec->client_id);
    account->login_url = mem_text(spec->login_url);
    account->certificate = mem_text(spec->certificate);
    if (spec->certificate)
        account->cert = certificate_get(&accounts->certificates, spec->certificate);
    account->route = spec->route;
    account->next = accounts->first;
    return accounts->first = account;
}

struct access *access_get(struct account *account, const char *resource, bool v1)
{
    struct access *access;

    for (access = account->accesses; access; access = access->next)
        if (text_same(access->resource, resource) && access->v1 == v1)
            return access;
    access = mem_alloc(sizeof(*access));
    access->account = account;
    access->resource = mem_text(resource);
    access->v1 = v1;
    access_init(access);
    access->next = account->accesses;
    return account->accesses = access;
}

struct account *access_account(const struct access *access)
{
    return access->account;
}

/* Credentials. */

static void try_again(struct account *account)
{
    struct access *access;

    for (access = account->accesses; access; access = access->next) {
        if (!access->failed)
            continue;
        access->failed = false;
        access->failures = access->refusals = 0;
        access_tell(access);
    }
}

static void set_credential(struct account *account, char **slot, const char *value)
{
    if (text_same(*slot, value))
        return;
    mem_free_secret(*slot);
    *slot = mem_text(value);
    try_again(account);
}

void account_set_secret(struct account *account, const char *client_secret)
{
    set_credential(account, &account->client_secret, client_secret);
}

void account_set_refresh_token(struct account *account, const char *refresh_token)
{
    set_credential(account, &account->refresh_token, refresh_token);
}

void accounts_look_at_certificates(struct accounts *accounts)
{
    struct certificate *cert;
    struct account *account;

    for (cert = accounts->certificates; cert; cert = certificate_next(cert)) {
        if (!certificate_renewed(cert))
            continue;
        for (account = accounts->first; account; account = account->next)
            if (account->cert == cert)
                try_again(account);
    }
}

bool account_certificate_days(const struct account *account, int64_t *ret)
{
    return account->cert && certificate_days(account->cert, ret);
}
