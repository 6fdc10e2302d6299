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

struct rate *rate_pool_get(struct rate_pool *pool, const char *tenant_id, const char *client_id, const char *family,
                           int per_minute, int per_hour, int64_t now_ms)
{
    uint64_t hash = hash128_of(tenant_id, strlen(tenant_id)).low;
    struct pooled *pooled;

    for (pooled = pool->first; pooled; pooled = pooled->next)
        if (pooled->hash == hash && text_same(pooled->tenant_id, tenant_id) &&
            text_same(pooled->client_id, client_id) && text_same(pooled->family, family))
            return &pooled->rate;
    pooled = mem_alloc(sizeof(*pooled));
    pooled->hash = hash;
    pooled->tenant_id = mem_text(tenant_id);
    pooled->client_id = mem_text(client_id);
    pooled->family = mem_text(family);
    rate_start(&pooled->rate, rate_limits_for(per_minute, per_hour), now_ms);
    pooled->next = pool->first;
    pool->first = pooled;
    return &pooled->rate;
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
