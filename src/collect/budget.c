#include "collect/budget.h"

#define MINUTE_MS 60000.0
#define HOUR_MS   3600000.0
#define USED      0.9       /* the part of a limit that is used */
#define BURST     0.25      /* the part of that which may go at once */
#define FIRST     0.4       /* of a bucket is there at the start: the process before this one may just have used its own,
                               and both together must stay below the limit */

struct budget_limits budget_limits_for(int per_minute, int per_hour)
{
    struct budget_limits limits;

    limits.minute_size = per_minute * USED * BURST;
    limits.minute_rate = (per_minute * USED - limits.minute_size) / MINUTE_MS;
    limits.hour_size = per_hour * USED * BURST;
    limits.hour_rate = (per_hour * USED - limits.hour_size) / HOUR_MS;
    return limits;
}

void budget_start(struct budget *budget, struct budget_limits limits, int64_t now_ms)
{
    *budget = (struct budget){ .limits = limits, .minute = limits.minute_size * FIRST,
                               .hour = limits.hour_size * FIRST, .at_ms = now_ms };
}

static double filled(double level, double size, double rate, int64_t ms)
{
    level += rate * (double)ms;
    return level > size ? size : level;
}

/* How long until one more is there. */
static int64_t until_one(double level, double rate)
{
    return level >= 1 ? 0 : (int64_t)((1 - level) / rate) + 1;
}

int64_t budget_take(struct budget *budget, double reserve, int64_t now_ms)
{
    const struct budget_limits *l = &budget->limits;
    int64_t passed = now_ms - budget->at_ms, wait, hour_wait;

    if (now_ms < budget->hold_until_ms)
        return budget->hold_until_ms - now_ms;
    if (passed > 0) {
        budget->minute = filled(budget->minute, l->minute_size, l->minute_rate, passed);
        budget->hour = filled(budget->hour, l->hour_size, l->hour_rate, passed);
        budget->at_ms = now_ms;
    }
    wait = until_one(budget->minute - reserve, l->minute_rate);
    hour_wait = l->hour_size > 0 ? until_one(budget->hour - reserve, l->hour_rate) : 0;
    if (hour_wait > wait)
        wait = hour_wait;
    if (wait)
        return wait;
    budget->minute -= 1;
    budget->hour -= 1;
    return 0;
}

void budget_hold(struct budget *budget, int64_t until_ms)
{
    if (until_ms > budget->hold_until_ms)
        budget->hold_until_ms = until_ms;
}
