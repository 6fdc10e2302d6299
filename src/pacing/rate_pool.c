#include "pacing/rate_pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "base/text.h"

struct pooled {
    struct pooled *next;
    uint64_t hash; /* of the tenant's id: comparing thousands of ids with a common start takes long */
    char *tenant_id, *client_id, *family;
    struct rate rate;
};

struct rate_pool {
    struct pooled *first;
};

struct rate_pool *rate_pool_new(void)
{
    return mem_alloc(sizeof(struct rate_pool));
}

void rate_pool_free(struct rate_pool *pool)
{
    struct pooled *pooled;

    if (!pool)
        return;
    while ((pooled = pool->first)) {
        pool->first = pooled->next;
        free(pooled->tenant_id);
        free(pooled->client_id);
        free(pooled->family);
        free(pooled);
    }
    free(pool);
}

static uint64_t hash_of(const char *tenant_id)
{
    CLEANUP(mem_freep) char *lower = mem_text(tenant_id);

    for (char *at = lower; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at += 'a' - 'A';
    return hash128_of(lower, strlen(lower)).low;
}

static struct rate *find(const struct rate_pool *pool, const char *tenant_id, const char *client_id, const char *family)
{
    uint64_t hash = hash_of(tenant_id);
    struct pooled *pooled;

    for (pooled = pool->first; pooled; pooled = pooled->next)
        if (pooled->hash == hash && text_same_nocase(pooled->tenant_id, tenant_id) &&
            text_same_nocase(pooled->client_id, client_id) && text_same(pooled->family, family))
            return &pooled->rate;
    return NULL;
}

static struct rate *add(struct rate_pool *pool, const char *tenant_id, const char *client_id, const char *family)
{
    struct pooled *pooled = mem_alloc(sizeof(*pooled));

    pooled->hash = hash_of(tenant_id);
    pooled->tenant_id = mem_text(tenant_id);
    pooled->client_id = mem_text(client_id);
    pooled->family = mem_text(family);
    pooled->next = pool->first;
    pool->first = pooled;
    return &pooled->rate;
}

struct rate *rate_pool_get(struct rate_pool *pool, const char *tenant_id, const char *client_id, const char *family,
                           int per_minute, int per_hour, int64_t now_ms)
{
    struct rate *rate = find(pool, tenant_id, client_id, family);

    if (!rate) {
        rate = add(pool, tenant_id, client_id, family);
        rate_start(rate, rate_limits_for(per_minute, per_hour), now_ms);
    }
    return rate;
}

void rate_pool_name(struct rate_pool *pool, struct rate *rate, const char *guid, const char *client_id,
                    const char *family, int64_t now_ms)
{
    struct rate *other = find(pool, guid, client_id, family);

    if (other)
        rate_join(rate, other, now_ms);
    else
        add(pool, guid, client_id, family)->same = rate; /* inputs that name the GUID may come later */
}

void rate_pool_was_used(struct rate_pool *pool)
{
    struct pooled *pooled;

    for (pooled = pool->first; pooled; pooled = pooled->next)
        rate_was_used(&pooled->rate);
}

void rate_pool_was_not_used(struct rate_pool *pool)
{
    struct pooled *pooled;

    for (pooled = pool->first; pooled; pooled = pooled->next)
        rate_was_not_used(&pooled->rate);
}
