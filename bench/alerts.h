/* bench/alerts.h - made-up alerts of real size: what the server sends and what the sink expects are the same bytes.
 *
 * An alert is a pure function of its feed, tenant and index. Index 0 is the newest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICKS_PER_S INT64_C(10000000)
#define ALERT_MAX   32768       /* bytes that one alert may take */

enum feed_kind { FEED_ENDPOINT, FEED_GRAPH };

struct feed {
    enum feed_kind kind;
    uint32_t tenants;
    uint32_t alerts;            /* a tenant */
    int64_t  newest;            /* update time of index 0, ticks since 1970 */
    int64_t  step;              /* ticks from one alert to the next older one, at least 2 */
};

/* "endpoint:TENANTS:ALERTS:NEWEST:STEP" as the driver passes it to every program. */
bool feed_parse(const char *text, struct feed *ret);

int64_t alert_time(const struct feed *feed, uint32_t tenant, uint32_t index);
/* Writes the alert's JSON, without a zero; returns its length. */
size_t alert_write(const struct feed *feed, uint32_t tenant, uint32_t index, char *to);
/* Indexes [*from, *to) of the alerts with lo <= time < hi. */
void alert_range(const struct feed *feed, uint32_t tenant, int64_t lo, int64_t hi, uint32_t *from, uint32_t *to);
/* The number that alert_write() puts after the '_' of the id. */
static inline uint64_t alert_number(const struct feed *feed, uint32_t tenant, uint32_t index)
{
    return (uint64_t)tenant * feed->alerts + index;
}

/* "2026-11-01T08:35:12.1333333Z" to ticks; INT64_MAX when it is none. */
int64_t time_read(const char *text);
