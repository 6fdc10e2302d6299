#include "collect/audit_night.h"

#include "collect/settled.h"

#define TURNS         500 /* moments of a night ... */
#define SPREAD_S      30  /* ... this far apart */
#define DAY_MS        (INT64_C(86400) * 1000)
#define MINUTES_MOST  0xFFFFFFu
#define VERDICT_SHIFT 24

ticks audit_night_begin(const struct feed *feed, uint32_t night)
{
    int64_t own_s = feed->input->poll_interval + (int64_t)(feed->number % TURNS) * SPREAD_S;

    return ticks_ahead(settled_at(feed, night - 1), own_s);
}

/* An overlap of a day makes it yesterday's. */
uint32_t audit_night_at(const struct feed *feed, ticks now)
{
    uint32_t night = ledger_day_of(now);

    while (night > 1 && audit_night_begin(feed, night) > now)
        night--;
    return night;
}

int64_t audit_night_next_ms(const struct feed *feed, uint32_t night, ticks now, int64_t now_ms)
{
    int64_t wait_ms = ticks_to_ms(audit_night_begin(feed, night + 1) - now) + 1;

    return now_ms + (wait_ms > 0 && wait_ms < 3 * DAY_MS ? wait_ms : DAY_MS);
}

void audit_note(const struct feed *feed, uint32_t day, enum audit_verdict verdict)
{
    ticks after = feed_service_now(feed) - ledger_day_begin(day + 1);
    int64_t minutes = after / (60 * TICKS_PER_SECOND);

    minutes = minutes < 0 ? 0 : minutes > (int64_t)MINUTES_MOST ? (int64_t)MINUTES_MOST : minutes;
    ledger_audited(feed->ledger, day, (uint32_t)verdict << VERDICT_SHIFT | (uint32_t)minutes);
}

static enum audit_verdict verdict_of(uint32_t mark)
{
    uint32_t verdict = mark >> VERDICT_SHIFT;

    return verdict < AUDIT_VERDICTS ? (enum audit_verdict)verdict : AUDIT_NONE;
}

bool audit_night_is_noted(const struct feed *feed, uint32_t night)
{
    uint32_t mark = ledger_audit_of(feed->ledger, night - 1);
    ticks found = ticks_ahead(ledger_day_begin(night), (int64_t)(mark & MINUTES_MOST) * 60 + 60);

    return mark && found > audit_night_begin(feed, night);
}

void audit_recall(struct feed *feed, uint32_t night)
{
    uint32_t day, mark;

    for (day = night; !feed->audited.day && day > 1 && day + LEDGER_KEPT_DAYS > night; day--) {
        mark = ledger_audit_of(feed->ledger, day - 1);
        if (verdict_of(mark)) {
            feed->audited.day = day - 1;
            feed->audited.result = audit_verdict_word(verdict_of(mark));
        }
    }
}
