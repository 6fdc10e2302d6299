#include "collect/service_clock.h"

#define NEAR_MS INT64_C(300000) /* clocks that differ by less agree */
#define SAME_MS INT64_C(5000) /* Dates of one clock differ by less; one that is random is hardly ever so near another */
#define TELL_MS INT64_C(3600000)

#define DOUBTS_BEHIND 1 /* Dates are doubted before the next one that says the same is believed */
#define DOUBTS_AHEAD  3 /* the same for Dates that are ahead of what is known */

/* Returns true if the Date, which was the service's time at some moment of the response, is near a clock that reads
 * other_ms at its end. */
static bool is_near(int64_t date_ms, int64_t other_ms, int64_t took_ms, int64_t near_ms)
{
    return date_ms < other_ms + near_ms && date_ms > other_ms - took_ms - near_ms;
}

static bool agrees(int64_t date_ms, int64_t other_ms, int64_t took_ms)
{
    return is_near(date_ms, other_ms, took_ms, NEAR_MS);
}

/* Returns true if the responses before this one said the same. */
static bool is_said_again(const struct service_clock *clock, int64_t date_ms, const struct clock_facts *facts)
{
    return clock->doubts && is_near(date_ms, clock->doubted_ms + facts->now_ms, facts->took_ms, SAME_MS);
}

static bool is_believed(const struct service_clock *clock, int64_t date_ms, const struct clock_facts *facts)
{
    int64_t known_ms = service_clock_now(clock, facts->wall_ms, facts->now_ms);
    int doubts = date_ms > known_ms ? DOUBTS_AHEAD : DOUBTS_BEHIND;

    if (agrees(date_ms, facts->wall_ms, facts->took_ms) || agrees(date_ms, known_ms, facts->took_ms))
        return true;
    return clock->doubts >= doubts && is_said_again(clock, date_ms, facts);
}

/* Moves the known time into the range that the Date allows: the Date was right at some moment of the response. */
static int64_t settle(const struct service_clock *clock, int64_t date_ms, const struct clock_facts *facts)
{
    int64_t known_ms = clock->good_ms + facts->now_ms, latest_ms = date_ms + facts->took_ms;

    if (!clock->known || known_ms < date_ms)
        return date_ms;
    return known_ms < latest_ms ? known_ms : latest_ms;
}

bool service_clock_take(struct service_clock *clock, int64_t date_ms, const struct clock_facts *facts)
{
    if (!is_believed(clock, date_ms, facts)) {
        clock->doubts = is_said_again(clock, date_ms, facts) ? clock->doubts + 1 : 1;
        clock->doubted_ms = date_ms - facts->now_ms;
        return false;
    }
    clock->doubts = 0;
    clock->good_ms = settle(clock, date_ms, facts) - facts->now_ms;
    clock->known = true;
    return true;
}

int64_t service_clock_now(const struct service_clock *clock, int64_t wall_ms, int64_t now_ms)
{
    return clock->known ? clock->good_ms + now_ms : wall_ms;
}

bool service_clock_confirmed(const struct service_clock *clock, int64_t wall_ms, int64_t now_ms)
{
    return clock->known && agrees(clock->good_ms + now_ms, wall_ms, 0);
}

void service_clock_begins(struct service_clock *clock, int64_t wall_ms, int64_t now_ms)
{
    clock->began = clock->known && !service_clock_confirmed(clock, wall_ms, now_ms);
    clock->began_ms = clock->good_ms;
}

bool service_clock_began_late(const struct service_clock *clock, int64_t wall_ms, int64_t now_ms)
{
    return clock->began && clock->began_ms >= clock->good_ms + NEAR_MS &&
           service_clock_confirmed(clock, wall_ms, now_ms);
}

bool service_clock_tell(struct service_clock *clock, int64_t now_ms)
{
    if (clock->told_ms && now_ms < clock->told_ms + TELL_MS)
        return false;
    clock->told_ms = now_ms ? now_ms : 1;
    return true;
}
