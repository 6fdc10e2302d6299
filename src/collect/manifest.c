#include "collect/manifest.h"

#include "collect/settled.h"

#define FIRST_MS   5000 /* after the input has opened: its first poll may be complete */
#define SPREAD_MS  500  /* between the first looks of two inputs ... */
#define TURNS      120  /* ... of that many */
#define MOST_MS    20   /* of work in one go: a backfill settles many days at once */
#define BETWEEN_MS 2000
#define AGAIN_MS   (60 * 1000)
#define HOURLY_MS  (60 * 60 * 1000)
#define SPREAD_S   5 /* between the looks of two inputs at a new day */
#define DAY_MS     (INT64_C(86400) * 1000)
#define EMPTY_MOST 3 /* days without versions that are said, or as many as the nights look at ... */
#define EMPTY_MORE 2 /* ... and these, since the last days may not be settled */

void manifest_init(struct manifest *manifest, struct feed *feed)
{
    *manifest = (struct manifest){ .feed = feed };
}

void manifest_release(struct manifest *manifest)
{
    if (manifest->timer.fire)
        timer_cancel(manifest->feed->env->loop, &manifest->timer);
}

static void look_at(struct manifest *manifest, int64_t due_ms)
{
    timer_set(manifest->feed->env->loop, &manifest->timer, due_ms);
}

static bool say(struct manifest *manifest, uint32_t day, struct err *err)
{
    struct feed *feed = manifest->feed;
    char text[LEDGER_DAY_TEXT], since[TICKS_TEXT_MAX];
    uint64_t versions, sum;

    if (!ledger_sum(feed->ledger, day, &versions, &sum, err))
        return false;
    ticks_text(ledger_since(feed->ledger), since);
    feed_log(feed, EVENT_MANIFEST, NULL, "day=%s versions=%llu sum=%llu since=%s", ledger_day_text(day, text),
             (unsigned long long)versions, (unsigned long long)sum, since);
    ledger_said(feed->ledger, day);
    return true;
}

/* Returns true if the manifest of the day is of use: the ledger has all of it, or has what this forwarder has written of it
 * while others wrote the rest. */
static bool is_of_use(const struct feed *feed, uint32_t day)
{
    return ledger_covers(feed->ledger, day) ||
           (feed->input->share_url && day >= ledger_day_of(ledger_since(feed->ledger)) &&
            ledger_unsaid_versions(feed->ledger, day));
}

/* Returns true if the day is so old that nothing is to be said of it unless something was written: a new input has a
 * month of such days before its first one, and no search asks for them. */
static bool is_past_empty(const struct feed *feed, uint32_t day, uint32_t today)
{
    uint32_t nights = feed->input->audit > EMPTY_MOST ? (uint32_t)feed->input->audit : EMPTY_MOST;

    return day + nights + EMPTY_MORE < today && ledger_is_empty(feed->ledger, day);
}

/* Returns the first settled day that is to be said; LEDGER_NO_DAY: none. *waits: a day is not settled although it is
 * over. *later: a day has to be said again, but not yet. */
static uint32_t next_day(const struct manifest *manifest, ticks now, int64_t now_ms, bool *waits, bool *later)
{
    const struct feed *feed = manifest->feed;
    uint32_t today = ledger_day_of(now), day = today > LEDGER_KEPT_DAYS ? today - LEDGER_KEPT_DAYS : 1;
    bool again;

    for (*waits = *later = false; day < today && now >= settled_at(feed, day); day++) {
        if (!is_of_use(feed, day) || ledger_is_again(feed->ledger, day) || !ledger_unsaid(feed->ledger, day, &again))
            continue;
        if (!settled(feed, day))
            *waits = true;
        else if (again && now_ms < manifest->again_ms)
            *later = true;
        else if (again || !is_past_empty(feed, day, today))
            return day;
    }
    return LEDGER_NO_DAY;
}

/* Returns when the next day that is not over yet can be settled; each input has its own moment. */
static int64_t next_look_ms(const struct feed *feed, ticks now, int64_t now_ms)
{
    uint32_t day = ledger_day_of(now);
    int64_t wait_ms;

    while (day > 1 && settled_at(feed, day - 1) > now)
        day--;
    wait_ms = ticks_to_ms(settled_at(feed, day) - now) + feed->input->poll_interval * 1000 +
              (int64_t)(feed->number % TURNS) * SPREAD_S * 1000;
    return now_ms + (wait_ms > 0 && wait_ms < 2 * DAY_MS ? wait_ms : DAY_MS);
}

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Says what can be said. Returns when to look again. */
static int64_t say_days(struct manifest *manifest, ticks now, int64_t now_ms)
{
    const struct feed *feed = manifest->feed;
    int64_t due_ms = next_look_ms(feed, now, now_ms), until_ms = clock_ms() + MOST_MS;
    bool waits, later, again, repeats = false;
    struct err err;
    uint32_t day;

    while ((day = next_day(manifest, now, now_ms, &waits, &later)) != LEDGER_NO_DAY) {
        if (clock_ms() >= until_ms)
            return now_ms + BETWEEN_MS;
        ledger_unsaid(feed->ledger, day, &again);
        repeats = repeats || again;
        if (!say(manifest, day, &err))
            return now_ms + HOURLY_MS;
    }
    if (repeats)
        manifest->again_ms = now_ms + HOURLY_MS;
    if (waits)
        return min_ms(due_ms, now_ms + AGAIN_MS);
    return later ? min_ms(due_ms, manifest->again_ms) : due_ms;
}

void manifest_leave(struct manifest *manifest)
{
    const struct feed *feed = manifest->feed;
    uint32_t today = ledger_day_of(feed_service_now(feed)),
             day = today > LEDGER_KEPT_DAYS ? today - LEDGER_KEPT_DAYS : 1;
    struct err err;

    manifest_release(manifest);
    if (!feed->ledger || !ledger_look(feed->ledger, feed_service_now(feed), &err))
        return;
    for (; day <= today; day++)
        if (ledger_unsaid_versions(feed->ledger, day) && !say(manifest, day, &err))
            return;
}

static void timer_fired(void *ctx, int64_t now_ms)
{
    struct manifest *manifest = ctx;
    ticks now = feed_service_now(manifest->feed);
    struct err err;

    if (manifest->feed->open && ledger_look(manifest->feed->ledger, now, &err))
        look_at(manifest, say_days(manifest, now, now_ms));
    else
        look_at(manifest, now_ms + AGAIN_MS);
}

void manifest_start(struct manifest *manifest, int64_t now_ms)
{
    struct feed *feed = manifest->feed;

    if (!feed->ledger)
        return;
    manifest->timer.fire = timer_fired; /* it may be set: an input can begin again */
    manifest->timer.ctx = manifest;
    look_at(manifest, now_ms + FIRST_MS + (int64_t)(feed->number % TURNS) * SPREAD_MS);
}

static void look_at_the_latest(struct manifest *manifest, int64_t due_ms)
{
    if (!timer_is_set(&manifest->timer) || manifest->timer.due_ms > due_ms)
        look_at(manifest, due_ms);
}

void manifest_audited(struct manifest *manifest, int64_t now_ms)
{
    manifest->again_ms = 0;
    look_at_the_latest(manifest, now_ms + BETWEEN_MS);
}

void manifest_saved(struct manifest *manifest, int64_t now_ms)
{
    if (ledger_got_more(manifest->feed->ledger) && manifest->timer.fire)
        look_at_the_latest(manifest, manifest->again_ms > now_ms ? manifest->again_ms : now_ms + BETWEEN_MS);
}
