/* pacing/rate_pool.h - one rate for each tenant, app and API family.
 *
 * The service counts the requests of one app in one tenant together, for all APIs of a family. Inputs with the same
 * three therefore use the same rate, and a delay that the service asks for holds all of them. A tenant has a GUID and
 * any number of domains: once it is known which GUID a domain is of, their rates become one. */
#pragma once

#include "pacing/rate.h"

struct rate_pool;

struct rate_pool *rate_pool_new(void);       /* never returns NULL */
void rate_pool_free(struct rate_pool *pool); /* frees its rates too; NULL is allowed */

/* Returns the rate for these three, compared in any case of letters, and creates it if it is new: per_minute and per_hour are the
 * service's limits (per_hour 0: none) and apply only then. The rate is owned by the pool and stays at its address until
 * rate_pool_free(). */
struct rate *rate_pool_get(struct rate_pool *pool, const char *tenant_id, const char *client_id, const char *family,
                           int per_minute, int per_hour, int64_t now_ms);

/* The tenant that the rate is of, for this app and family, has this GUID: it is one with the rate of the GUID. */
void rate_pool_name(struct rate_pool *pool, struct rate *rate, const char *guid, const char *client_id,
                    const char *family, int64_t now_ms);

/* Calls rate_was_used() for every rate: another process used them within the last minute. A process that is killed and
 * restarted every few seconds must stay below the limits of a minute, too. */
void rate_pool_was_used(struct rate_pool *pool);
/* Calls rate_was_not_used() for every rate. */
void rate_pool_was_not_used(struct rate_pool *pool);
