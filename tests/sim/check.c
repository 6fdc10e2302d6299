/* Properties that are checked while the world goes on. Those of events are in customers.c, those of requests in
 * services.c. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

#define CIRCLE_POLLS  6 /* intervals, with up to three polls in each: within as many, ... */
#define CIRCLE_WITHIN (2 * MINUTE)
#define CIRCLE_MOST   40 /* ... as many answers may be alike: a window may be passed over 24 times */
/* Requests in a minute of failures: 60 may isolate a window; one that is quarantined already is tried at the same time, with
 * a third of them. Besides, polls repeat theirs. */
#define FAILING_MOST 80

static size_t sent_since(const struct customer *customer, int64_t since)
{
    size_t count = 0;

    while (count < customer->sent_count && customer->sent[customer->sent_count - 1 - count] > since)
        count++;
    return count;
}

/* No minute and no hour has more requests than the service allows. */
void check_request(struct customer *customer, int per_minute, int per_hour)
{
    size_t minute, hour;

    while (customer->sent_old < customer->sent_count && customer->sent[customer->sent_old] <= now() - HOUR)
        customer->sent_old++;
    if (customer->sent_old > 4096) {
        customer->sent_count -= customer->sent_old;
        memmove(customer->sent, customer->sent + customer->sent_old, customer->sent_count * sizeof(*customer->sent));
        customer->sent_old = 0;
    }
    if (customer->sent_count == customer->sent_cap) {
        customer->sent_cap = customer->sent_cap * 2 + 64;
        customer->sent = realloc(customer->sent, customer->sent_cap * sizeof(*customer->sent));
    }
    customer->sent[customer->sent_count++] = now();
    check_paced(customer);
    if (now() > customer->hold_from && now() < customer->hold_until)
        broken("obeys_hint", "%s: a request comes %lld s before Retry-After is over", customer->name,
               (long long)(customer->hold_until - now() + 999) / 1000);
    minute = sent_since(customer, now() - MINUTE);
    if (customer->down_since < now() - MINUTE && minute > FAILING_MOST + (size_t)(MINUTE / SECOND / plan.poll_s))
        broken("no_hammering", "%s: %zu requests in a minute of a service that fails", customer->name, minute);
    hour = customer->sent_count - customer->sent_old;
    if (minute > (size_t)per_minute)
        broken("request_limit", "%s: %zu requests in a minute, %d are allowed", customer->name, minute, per_minute);
    if (per_hour && hour > (size_t)per_hour)
        broken("request_limit", "%s: %zu requests in an hour, %d are allowed", customer->name, hour, per_hour);
}

void check_hint(struct customer *customer, int64_t told, int64_t wait)
{
    customer->hold_from = told;
    customer->hold_until = now() + wait;
}

void check_hints_lost(void)
{
    for (int i = 0; i < plan.customers; i++)
        if (customers[i].hold_from > now())
            customers[i].hold_until = 0;
}

/* Polls come three times in an interval while alerts do. An overlap that is long has several pages in each poll. */
void check_paced(struct customer *customer)
{
    size_t hour = customer->sent_count - customer->sent_old;
    size_t most = (size_t)(3 * HOUR / SECOND / plan.poll_s) + 60 + 4 * (size_t)customer->arrived +
                  (size_t)customer->served / (customer->cap ? 8 : 25);

    if (customer->paced_since < now() - HOUR) {
        if (customer->trouble < now() - HOUR && customer->harmed_until < now() - HOUR &&
            customer->short_until < now() - HOUR && customer->unfiltered_until < now() - HOUR && customer->coarse_until != NEVER && hour > most)
            broken("paced", "%s: %zu requests in an hour, although it is polled every %lld s", customer->name, hour,
                   (long long)plan.poll_s);
        customer->paced_since = now();
        customer->arrived = customer->served = 0;
    }
}

/* Pages that are shuffled, cut short or miscounted tell something else each time. */
static bool may_differ(const struct customer *customer)
{
    return customer->unfiltered_until > now() || customer->shuffled_until > now() || customer->short_until > now() ||
           customer->no_link_until > now() || customer->miscount_until > now();
}

/* Each answer to a request settles something: none comes to the same request again and again, but from poll to poll. */
void check_circle(struct customer *customer, const char *path, size_t len)
{
    uint32_t hash = text_hash(path) ^ (uint32_t)len * 2654435761u;
    int64_t limit = CIRCLE_POLLS * plan.poll_s * SECOND < CIRCLE_WITHIN ? CIRCLE_POLLS * plan.poll_s * SECOND
                                                                        : CIRCLE_WITHIN;
    unsigned same = 0, i = customer->answers++;

    if (may_differ(customer))
        return;
    customer->answered[i % ANSWERS_KEPT].hash = hash;
    customer->answered[i % ANSWERS_KEPT].time = now();
    for (unsigned k = 0; k < ANSWERS_KEPT && k <= i; k++) {
        if (customer->answered[(i - k) % ANSWERS_KEPT].time < now() - limit)
            break;
        same += customer->answered[(i - k) % ANSWERS_KEPT].hash == hash;
    }
    if (same > CIRCLE_MOST)
        broken("no_circle", "%s: %u of the last requests were %s, and had the same answer", customer->name, same, path);
}

void check_boot(void)
{
    for (int i = 0; i < plan.customers; i++)
        customers[i].hold_until = 0, customers[i].down_since = customers[i].stuck = NEVER;
}

void check_stop(int64_t asked)
{
    if (now() - asked > SECOND)
        broken("stops", "the process took %lld ms to end after SIGTERM", (long long)(now() - asked));
}
