#include "collect/audit_log.h"

#include <stdio.h>

static void log_missing(const struct feed *feed, const struct listing *listing, ticks now)
{
    char time[TICKS_TEXT_MAX];
    size_t i, named = 0, more = 0;

    for (i = 0; i < listing->other_count; i++) {
        const struct listed *entry = &listing->others[i];

        if (!entry->missing)
            continue;
        if (named == AUDIT_NAMED_MOST) {
            more++;
            continue;
        }
        named++;
        ticks_text(entry->time, time);
        feed_log(feed, EVENT_AUDIT_MISSING, NULL, "id=%s time=%s found_after_s=%lld result=%s",
                 QUOTED(entry->id ? entry->id : "unknown"), time, (long long)((now - entry->time) / TICKS_PER_SECOND),
                 audit_verdict_word(entry->written ? AUDIT_REPAIRED : AUDIT_MISSING));
    }
    if (more)
        feed_log(feed, EVENT_AUDIT_MISSING, NULL, "more=%zu", more);
}

static bool is_bad(enum audit_verdict verdict)
{
    return verdict == AUDIT_REPAIRED || verdict == AUDIT_MISSING || verdict == AUDIT_PARTIAL;
}

static void log_result(const struct feed *feed, uint32_t day, const struct audit_result *result)
{
    char text[LEDGER_DAY_TEXT], counted[24] = "none";

    if (result->counted >= 0)
        snprintf(counted, sizeof(counted), "%lld", (long long)result->counted);
    feed_log(feed, is_bad(result->verdict) ? EVENT_AUDIT_DIFFERS : EVENT_AUDIT, *result->why ? result->why : NULL,
             "day=%s result=%s listed=%zu counted=%s written=%zu missing=%zu repaired=%zu superseded=%zu odd=%zu "
             "requests=%llu bytes=%llu select=%s took_s=%lld",
             ledger_day_text(day, text), audit_verdict_word(result->verdict), result->counts.listed, counted,
             result->counts.written, result->counts.missing, result->counts.repaired, result->counts.superseded,
             result->counts.odd, (unsigned long long)result->requests, (unsigned long long)result->bytes,
             audit_select_word(result), (long long)(result->took_ms + 999) / 1000);
}

/* Notes what is logged of a day. Returns false if it was logged this night: the verdict, and each missing version. */
static bool is_news(struct audit_told *told, const struct audit_result *result, const struct listing *listing)
{
    struct audit_told now = { .verdict = (unsigned char)result->verdict };
    bool ret;

    for (size_t i = 0; listing && i < listing->other_count; i++)
        if (listing->others[i].missing && !listing->others[i].written)
            now.missing += (uint32_t)listing->others[i].key;
    ret = result->counts.repaired || told->verdict != now.verdict || told->missing != now.missing;
    *told = now;
    return ret;
}

void audit_log(const struct feed *feed, uint32_t day, const struct audit_result *result, const struct listing *listing,
               struct audit_told *told)
{
    if (!is_news(told, result, listing))
        return;
    if (listing)
        log_missing(feed, listing, feed_service_now(feed));
    log_result(feed, day, result);
}
