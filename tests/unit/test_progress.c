/* The parts of an input's progress together. Their own tests are test_cursor.c, test_acks.c, test_dedup.c; test_week.c
 * plays weeks with all of them. */
#include "state/progress.h"

#include "check.h"

#define SECOND  TICKS_PER_SECOND
#define HOUR    (3600 * SECOND)
#define BEGIN   (INT64_C(1790000000) * SECOND)
#define OVERLAP 900

static struct checkpoint checkpoint = { .tenant_id = (char *)"t", .api = (char *)"graph" };

static struct hash128 key_of(ticks time)
{
    return dedup_key((const char *)&time, sizeof(time), time);
}

/* Reads a window of the live worker that held one version of this time, whose event ends at pos. */
static void read_one(struct progress *progress, ticks time, uint64_t pos)
{
    static int64_t now_ms;
    struct window window = { time - HOUR, TICKS_OPEN };

    dedup_add(progress->dedup, (struct dedup_entry){ key_of(time), time, pos });
    CHECK(progress_read(progress, WORKER_LIVE, &window, &(struct page_stats){ .count = 1, .oldest = time, .newest = time }, 0, time + SECOND, pos,
                        now_ms += 60000), "it has caught up");
}

/* Formats what may be saved at pos and reads it as the next process does. Returns false if nothing may. */
static bool next_process(struct progress *progress, uint64_t pos, struct progress *ret, struct cursor *saved)
{
    struct checkpoint found = { .imported_count = 0 };
    struct buf text = BUF_INIT(1 << 20);
    struct err err;
    bool ok = progress_format(progress, &checkpoint, pos, &text, saved);

    if (ok) {
        progress_init(ret, OVERLAP);
        CHECK(checkpoint_parse(buf_text(&text), text.len, &found, ret->dedup, &err), "%s", err.text);
        progress_begin(ret, &found.cursor, 0);
    } else {
        CHECK(!text.len, "half a text");
    }
    checkpoint_release(&found);
    buf_free(&text);
    return ok;
}

static void begin(struct progress *progress)
{
    struct cursor cursor;

    cursor_start(&cursor, BEGIN);
    progress_begin(progress, &cursor, 0);
}

static void test_nothing_before_the_beginning(void **state)
{
    struct progress *progress = *state, next;
    struct cursor saved;

    CHECK(!next_process(progress, UINT64_MAX, &next, &saved), "something may be saved");
    begin(progress);
    CHECK(next_process(progress, 0, &next, &saved) && saved.watermark == BEGIN, "the beginning may be saved at once");
    progress_release(&next);
}

/* Nothing counts as read before splunkd has safely taken its events. */
static void test_only_what_is_safe_is_saved(void **state)
{
    static const struct { uint64_t pos; int hours; } rows[] = {
        { 0, 0 }, { 99, 0 }, { 100, 2 }, { 199, 2 }, { 200, 4 }, { 299, 4 }, { 300, 6 }, { 1000, 6 },
    };
    struct progress *progress = *state, next;
    struct cursor saved;

    begin(progress);
    for (int i = 1; i <= 3; i++)
        read_one(progress, BEGIN + 2 * i * HOUR, (uint64_t)i * 100);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CHECK(next_process(progress, rows[i].pos, &next, &saved), "position %llu", (unsigned long long)rows[i].pos);
        CHECK(next.cursor.watermark == BEGIN + rows[i].hours * HOUR, "position %llu: %lld s",
              (unsigned long long)rows[i].pos, (long long)((next.cursor.watermark - BEGIN) / SECOND));
        for (int k = 1; k <= 3; k++)
            CHECK(dedup_has(next.dedup, key_of(BEGIN + 2 * k * HOUR)) == (2 * k == rows[i].hours),
                  "position %llu: version %d", (unsigned long long)rows[i].pos, k);
        progress_release(&next);
    }
}

/* What a process that continues from the saved cursor may be given again stays known, and nothing else. */
static void test_pruned_to_what_is_needed(void **state)
{
    struct progress *progress = *state, next;
    struct cursor saved;
    size_t i;

    begin(progress);
    for (i = 0; i <= 8; i++)
        read_one(progress, BEGIN + (ticks)i * 600 * SECOND, i);
    CHECK(next_process(progress, 4, &next, &saved), "saved");
    progress_saved(progress, &saved);
    for (i = 0; i <= 8; i++)
        CHECK(dedup_has(progress->dedup, key_of(BEGIN + (ticks)i * 600 * SECOND)) == (i >= 3), "version %zu of %s", i,
              i >= 3 ? "those that may come again" : "those that cannot");
    CHECK(cursor_lower(&progress->cursor, 86400) >= BEGIN + (1500 - CURSOR_COARSE_S) * SECOND, "a longer overlap reaches what was pruned");
    progress_release(&next);
}

static void test_forgets_what_was_written(void **state)
{
    struct progress *progress = *state;

    begin(progress);
    read_one(progress, BEGIN + HOUR, 10);
    progress_forget_written(progress);
    CHECK(!dedup_count(progress->dedup) && progress->cursor.watermark == BEGIN + HOUR, "%zu versions",
          dedup_count(progress->dedup));
}

/* A second beginning: the cursors of the first one may no longer be saved. */
static void test_begins_again(void **state)
{
    struct progress *progress = *state, next;
    struct cursor saved, later;

    begin(progress);
    read_one(progress, BEGIN + HOUR, 10);
    cursor_start(&later, BEGIN + 5 * HOUR);
    progress_begin(progress, &later, 0);
    CHECK(next_process(progress, 10, &next, &saved) && saved.watermark == BEGIN + 5 * HOUR, "an older cursor is saved");
    progress_release(&next);
}

/* The windows before and after a quarantined one are whole; it is left out. */
static void test_windows_around_a_quarantine(void **state)
{
    static const struct { const char *name; ticks watermark, lo, hi; } rows[] = {
        { "ahead of it", 2 * HOUR, 2 * HOUR - OVERLAP * SECOND, 3 * HOUR },
        { "inside of it", 3 * HOUR + OVERLAP * SECOND, 3 * HOUR + SECOND, TICKS_OPEN },
        { "after it", 4 * HOUR, 4 * HOUR - OVERLAP * SECOND, TICKS_OPEN },
    };
    struct progress *progress = *state;
    struct window window;

    begin(progress);
    quarantine_add(&progress->quarantine, &(struct window){ BEGIN + 3 * HOUR, BEGIN + 3 * HOUR + SECOND }, 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        progress->plans[WORKER_LIVE] = (struct window_plan){ .active = false };
        progress->cursor.watermark = BEGIN + rows[i].watermark;
        CHECK(progress_next(progress, WORKER_LIVE, BEGIN + 5 * HOUR, 0, 0, &window), "%s", rows[i].name);
        CHECK(window.lo == BEGIN + rows[i].lo &&
              window.hi == (rows[i].hi == TICKS_OPEN ? TICKS_OPEN : BEGIN + rows[i].hi),
              "%s: from %lld s to %lld s", rows[i].name, (long long)((window.lo - BEGIN) / SECOND),
              (long long)((window.hi - BEGIN) / SECOND));
    }
}

/* Plays a poll in which no record comes. Returns the number of windows, and checks that only what is quarantined is left
 * out between them. */
static int poll_windows(struct progress *progress, ticks now, struct window *first)
{
    struct page_stats none = page_stats_none();
    struct window window = { 0, 0 };
    bool caught_up = false;
    int windows = 0;

    while (!caught_up && ++windows < 100) {
        struct window gap = { window.hi, window.hi + 1 };
        ticks end = window.hi;

        progress_next(progress, WORKER_LIVE, now, 0, 0, &window);
        CHECK(windows == 1 || window.lo == end || !quarantine_avoid(&progress->quarantine, &gap),
              "a gap before window %d", windows);
        if (windows == 1)
            *first = window;
        caught_up = progress_read(progress, WORKER_LIVE, &window, &none, 0, now, 0, windows);
    }
    CHECK(window.hi == TICKS_OPEN, "it does not reach the present");
    return windows;
}

/* A poll that is cut by a quarantined window goes on to the present. */
static void test_a_poll_past_a_quarantine_reaches_the_present(void **state)
{
    struct progress *progress = *state;
    struct window first;
    int windows;

    begin(progress);
    quarantine_add(&progress->quarantine, &(struct window){ BEGIN + HOUR, BEGIN + HOUR + SECOND }, 0);
    windows = poll_windows(progress, BEGIN + 2 * HOUR, &first);
    CHECK(windows == 2 && first.lo == BEGIN && first.hi == BEGIN + HOUR, "%d windows", windows);
}

/* Many quarantined windows in the overlap: most polls only ask for what is new. The watermark waits for the others, so
 * that late alerts are still found. */
static void test_many_quarantined_windows_cost_few_requests(void **state)
{
    struct progress *progress = *state;
    ticks now = BEGIN + 60 * SECOND;
    int requests = 0, full = 0;
    struct window first, tail;

    begin(progress);
    for (int i = 1; i <= 40; i++)
        quarantine_add(&progress->quarantine, &(struct window){ BEGIN + i * SECOND, BEGIN + i * SECOND + 1 }, 0);
    for (int poll = 0; poll < 60; poll++, now += 60 * SECOND) {
        requests += poll_windows(progress, now, &first);
        full += first.lo == BEGIN;
    }
    CHECK(requests <= 60 + 40 * 9 + 9 && full >= 8, "%d requests, %d full polls", requests, full);
    progress->looked = now;
    progress_next(progress, WORKER_LIVE, now + SECOND, 0, 0, &tail);
    progress_read(progress, WORKER_LIVE, &tail, &(struct page_stats){ .count = 1, .oldest = now, .newest = now }, 0, now + SECOND, 0, 0);
    CHECK(tail.lo == BEGIN + 40 * SECOND + 1 && progress->cursor.watermark == BEGIN, "the watermark passed the gaps");
    progress->looked = 0;
    for (int i = 0; i < 41; i++) {
        progress_next(progress, WORKER_LIVE, now + SECOND, 0, 0, &tail);
        progress_read(progress, WORKER_LIVE, &tail, tail.hi == TICKS_OPEN ? &(struct page_stats){ .count = 1, .oldest = now, .newest = now } :
                      &(struct page_stats){ .count = 0, .oldest = 1, .newest = 0 }, 0, now + SECOND, 0, 0);
    }
    CHECK(tail.hi == TICKS_OPEN && progress->cursor.watermark == now, "a poll that read all of them raises it");
}

/* A planned window that is quarantined completely counts as read; a backfill ends with it. */
static void test_a_quarantined_window_counts_as_read(void **state)
{
    struct progress *progress = *state;
    struct window window;

    begin(progress);
    cursor_backfill_begins(&progress->cursor, BEGIN, BEGIN + 4 * HOUR);
    progress->plans[WORKER_BACKFILL] = (struct window_plan){ .width = HOUR, .resolution = 1 };
    quarantine_add(&progress->quarantine, &(struct window){ BEGIN, BEGIN + 2 * HOUR }, 0);
    CHECK(progress_next(progress, WORKER_BACKFILL, BEGIN + 5 * HOUR, 0, 0, &window), "there is more");
    CHECK(window.lo == BEGIN + 2 * HOUR, "from %lld s", (long long)((window.lo - BEGIN) / SECOND));
    quarantine_add(&progress->quarantine, &(struct window){ BEGIN + 2 * HOUR, BEGIN + 4 * HOUR }, 0);
    CHECK(!progress_next(progress, WORKER_BACKFILL, BEGIN + 5 * HOUR, 0, 0, &window), "all is quarantined");
    CHECK(!progress->cursor.backfill.active, "the backfill is complete");
}

/* An open window ends at the service's clock, a bounded one stays; the worker continues after it. */
static void test_isolates(void **state)
{
    struct progress *progress = *state;
    ticks now = BEGIN + HOUR;
    struct window window;

    begin(progress);
    progress_next(progress, WORKER_LIVE, now, 0, 0, &window);
    CHECK(progress_isolate(progress, WORKER_LIVE, &window, 1, now, 0, 0), "it has caught up");
    CHECK(progress->quarantine.count == 1 && progress->quarantine.list[0].window.hi == now + 1, "it ends now");
    CHECK(progress->cursor.watermark == BEGIN, "nothing was read");
    progress_next(progress, WORKER_LIVE, now + SECOND, 0, 0, &window);
    CHECK(window.lo == now + 1 && window.hi == TICKS_OPEN, "what is new is still read");
    CHECK(progress_next(progress, WORKER_QUARANTINE, now + SECOND, 0, 0, &window) && window.lo == BEGIN, "at once");
    CHECK(!progress_read(progress, WORKER_QUARANTINE, &window, &(struct page_stats){ .count = 1, .oldest = now, .newest = now }, 0, now, 10, 0), "read");
    CHECK(!progress_next(progress, WORKER_QUARANTINE, now + SECOND, 0, 0, &window), "nothing is left");
    CHECK(!progress_settle(progress, 9, now) && progress->quarantine.count == 1, "splunkd has not taken it");
    CHECK(!progress_settle(progress, 10, now) && !progress->quarantine.count, "splunkd has taken it");
}

/* What a quarantined window held raises the watermark once everything before it was read or is quarantined, up to the
 * beginning of the poll that met it. Else every poll would ask for all of it again. */
static void test_a_quarantined_window_raises_the_watermark(void **state)
{
    static const struct { const char *name; int looked; bool plan, backfill; int next, newest, want, want_backfill, now; } rows[] = {
        { "a poll that began by a clock that was ahead", 1000, false, false, 0, 590, 530, 0, 530 },
        { "after an open window", 1000, false, false, 0, 590, 590, 0, 0 },
        { "a record after the window", 1000, false, false, 0, 700, 599, 0, 0 },
        { "no record", 1000, false, false, 0, -1, 0, 0, 0 },
        { "no poll was complete in this run", 0, false, false, 0, 590, 0, 0, 0 },
        { "the poll began earlier", 550, false, false, 0, 590, 550, 0, 0 },
        { "a plan that has passed it", 1000, true, false, 600, 590, 590, 0, 0 },
        { "a plan that has not passed it", 1000, true, false, 599, 590, 0, 0, 0 },
        { "a backfill that has passed it", 1000, false, true, 600, 590, 800, 590, 0 },
        { "a backfill that has not passed it", 1000, false, true, 599, 590, 800, 0, 0 },
    };
    struct progress *progress = *state;
    struct window window = { BEGIN + 500 * SECOND, BEGIN + 600 * SECOND };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ticks newest = BEGIN + rows[i].newest * SECOND;
        struct page_stats stats = rows[i].newest < 0 ? page_stats_none() : (struct page_stats){ .count = 1, .oldest = newest, .newest = newest };

        begin(progress);
        progress->looked = rows[i].looked ? BEGIN + rows[i].looked * SECOND : 0;
        progress->plans[WORKER_LIVE] = (struct window_plan){ .active = rows[i].plan, .next = BEGIN + rows[i].next * SECOND };
        if (rows[i].backfill) {
            cursor_backfill_begins(&progress->cursor, BEGIN, BEGIN + 800 * SECOND);
            progress->cursor.backfill.next = BEGIN + rows[i].next * SECOND;
        }
        quarantine_add(&progress->quarantine, &window, 0);
        progress_read(progress, WORKER_QUARANTINE, &window, &stats, 0,
                      BEGIN + (rows[i].now ? rows[i].now * SECOND : HOUR), 0, 0);
        CHECK((progress->cursor.watermark - BEGIN) / SECOND - rows[i].want < 1 &&
              progress->cursor.watermark >= BEGIN + rows[i].want * SECOND, "%s: %lld s", rows[i].name,
              (long long)((progress->cursor.watermark - BEGIN) / SECOND));
        CHECK(!rows[i].backfill || progress->cursor.backfill.watermark == BEGIN + rows[i].want_backfill * SECOND,
              "%s: backfill", rows[i].name);
    }
}

/* Versions within a quarantined window are still known when it is read, however old it is. */
static void test_versions_in_quarantine_are_kept(void **state)
{
    struct progress *progress = *state, next;
    struct cursor saved;

    begin(progress);
    for (size_t i = 0; i <= 8; i++)
        read_one(progress, BEGIN + (ticks)i * 600 * SECOND, i);
    quarantine_add(&progress->quarantine, &(struct window){ BEGIN + 600 * SECOND, BEGIN + 601 * SECOND }, 0);
    CHECK(next_process(progress, 8, &next, &saved), "saved");
    CHECK(dedup_has(next.dedup, key_of(BEGIN + 600 * SECOND)) && !dedup_has(next.dedup, key_of(BEGIN)), "saved with it");
    progress_release(&next);
    progress_saved(progress, &saved);
    CHECK(dedup_has(progress->dedup, key_of(BEGIN + 600 * SECOND)), "kept");
    CHECK(!dedup_has(progress->dedup, key_of(BEGIN)), "the others go");
}

static void test_the_backfill_has_nothing_to_read(void **state)
{
    struct progress *progress = *state;
    struct window window;

    begin(progress);
    CHECK(!progress_next(progress, WORKER_BACKFILL, BEGIN + HOUR, 0, 0, &window), "it reads");
    CHECK(progress_next(progress, WORKER_LIVE, BEGIN + HOUR, 0, 0, &window) && window.lo == BEGIN, "the other one does not");
}

/* promise: Parameters: start_time bounds exactly. Overlaps do not reach before it. */
static void test_a_long_poll_is_shared_by_both_workers(void **state)
{
    struct progress *progress = *state;
    ticks now = BEGIN + 100 * HOUR;
    struct window window;

    begin(progress);
    progress_next(progress, WORKER_LIVE, now, 0, 0, &window);
    CHECK(window.lo == BEGIN && window.hi == TICKS_OPEN, "one window at first");
    CHECK(progress_split(progress, WORKER_LIVE, &window, &(struct page_stats){ .count = 10, .oldest = BEGIN, .newest = now }, 1, now), "split");
    progress_next(progress, WORKER_LIVE, now, 0, 0, &window);
    CHECK(window.lo == now - OVERLAP * SECOND && window.hi == TICKS_OPEN, "new alerts do not wait");
    CHECK(progress_next(progress, WORKER_BACKFILL, now, 0, 0, &window) && window.lo == BEGIN &&
          window.hi <= now - OVERLAP * SECOND, "the older part");
}

/* A page that is too much has the latest records: what is before it is one window, and its own part another one. With
 * many pages, or records in any order, the backfill takes over. Times are hours. */
static void test_a_page_of_the_latest(void **state)
{
    static const struct { const char *name; bool rises; size_t rest; int oldest; bool few, alone; } rows[] = {
        { "two pages", .rest = 5, .oldest = 40, .few = true, .alone = true },
        { "two pages, the first records in a burst", .rest = 8, .oldest = 2, .few = true, .alone = true },
        { "two pages as it seems: the service does not count", .oldest = 40, .few = true, .alone = true },
        { "three pages", .rest = 20, .oldest = 40, .alone = true },
        { "many pages", .rest = 500, .oldest = 40 },
        { "many pages as it seems", .oldest = 85 },
        { "in any order", .rises = true, .oldest = 40 },
    };
    struct progress *progress = *state;
    ticks now = BEGIN + 100 * HOUR;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct page_stats stats = { .count = 10, .oldest = BEGIN + rows[i].oldest * HOUR, .newest = BEGIN + 90 * HOUR,
                                    .rises = rows[i].rises, .rest = rows[i].rest };
        struct window window;

        begin(progress);
        progress_next(progress, WORKER_LIVE, now, 0, 0, &window);
        CHECK(progress_split(progress, WORKER_LIVE, &window, &stats, 1, now), "%s: split", rows[i].name);
        CHECK(progress->cursor.backfill.active == !rows[i].alone, "%s: who reads on", rows[i].name);
        CHECK(progress->plans[WORKER_LIVE].few == rows[i].few, "%s: few", rows[i].name);
        if (!rows[i].few)
            continue;
        progress_next(progress, WORKER_LIVE, now, 0, 0, &window);
        CHECK(window.lo == BEGIN && window.hi > stats.oldest && window.hi <= stats.oldest + SECOND, "%s: before it",
              rows[i].name);
        progress_read(progress, WORKER_LIVE, &window, &(struct page_stats){ .count = 1, .oldest = BEGIN, .newest = BEGIN },
                      10, now, 0, 0);
        progress_next(progress, WORKER_LIVE, now, 0, 0, &window);
        CHECK(window.hi == TICKS_OPEN, "%s: all of the rest", rows[i].name);
    }
}

/* A record of the year 9999 and more than one response holds: no window is bounded by a time after the present. */
static void test_the_future_belongs_to_the_open_window(void **state)
{
    struct progress *progress = *state;
    ticks now = BEGIN + HOUR, far = now + INT64_C(7973) * 365 * 24 * HOUR;
    struct window window = { BEGIN, TICKS_OPEN };
    int windows = 0;

    begin(progress);
    CHECK(progress_split(progress, WORKER_LIVE, &window, &(struct page_stats){ .count = 10, .oldest = BEGIN, .newest = far }, 1, now), "split");
    do {
        CHECK(progress_next(progress, WORKER_LIVE, now, 0, 0, &window), "nothing to read");
        CHECK(window.hi == TICKS_OPEN || window.hi <= now, "a window that ends in the future");
        progress_read(progress, WORKER_LIVE, &window, &(struct page_stats){ .count = 1, .oldest = window.lo, .newest = window.lo }, 0, now, 0, 0);
    } while (window.hi != TICKS_OPEN && ++windows < 20);
    CHECK(windows < 5 && window.hi == TICKS_OPEN, "%d bounded windows", windows);
}

/* Reads polls of a service that has `count` records of these times, a page of them at most, and of those that are too many
 * the latest ones. It filters them by their times rounded down to the grain. Ends with the first poll that is complete. Returns the number of requests. */
static int read_poll(struct progress *progress, const ticks *times, int count, ticks grain, ticks *now)
{
    enum { PAGE = 20 };
    bool caught_up = false;
    int requests = 0;

    while (!caught_up && ++requests < 200) {
        struct page_stats stats = page_stats_none();
        struct window window;
        int found = 0;

        CHECK(progress_next(progress, WORKER_LIVE, *now, 0, 0, &window), "nothing to read");
        for (int i = count; i--;) {
            ticks time = times[i] - times[i] % grain;

            if (time < window.lo || time >= window.hi || ++found > PAGE)
                continue;
            stats = (struct page_stats){ .count = (size_t)found, .oldest = ticks_min(stats.oldest, times[i]),
                                         .newest = ticks_max(stats.newest, times[i]) };
        }
        *now += SECOND / 10; /* a response takes a while, so some of the present is always left */
        if (found > PAGE)
            CHECK(progress_split(progress, WORKER_LIVE, &window, &stats, 1, *now), "it cannot be split");
        else
            caught_up = progress_read(progress, WORKER_LIVE, &window, &stats, PAGE, *now, 0, 0);
    }
    CHECK(caught_up, "the poll does not end");
    return requests;
}

/* More records of the future than a response holds: once all that is past was read, they are read in windows, too. The
 * poll ends, and the watermark has not passed the present; also if a quarantined window cuts the open one. */
static void test_too_many_records_of_the_future(void **state)
{
    enum { RECORDS = 100 };
    static const struct { const char *name; ticks quarantined; } rows[] = {
        { "nothing is quarantined", 0 },
        { "a window among them is", 2 * HOUR + HOUR / 2 },
        { "a window after them is", 50 * HOUR },
        { "a window that ends at the present is", HOUR - SECOND },
        { "a window of the past is", HOUR - 600 * SECOND },
    };
    struct progress *progress = *state;

    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        ticks now = BEGIN + HOUR, times[RECORDS + 1] = { BEGIN + HOUR / 2 };
        struct window quarantined = { BEGIN + rows[row].quarantined, BEGIN + rows[row].quarantined + SECOND };
        int requests;

        for (int i = 1; i <= RECORDS; i++)
            times[i] = now + i * HOUR / 3;
        begin(progress);
        if (rows[row].quarantined)
            quarantine_add(&progress->quarantine, &quarantined, BEGIN / SECOND);
        requests = read_poll(progress, times, RECORDS + 1, 1, &now);
        CHECK(requests < 60, "%s: %d requests", rows[row].name, requests);
        CHECK(progress->cursor.watermark <= now, "%s: the watermark is in the future", rows[row].name);
        quarantine_release(&progress->quarantine);
    }
}

/* A burst from a service that filters by whole seconds, or minutes. Windows that end between two of them would bring the
 * records of others, or none, which says nothing of how dense the records are. */
static void test_a_burst_through_a_coarse_filter(void **state)
{
    enum { RECORDS = 300 };
    static const struct { const char *name; ticks grain; } rows[] = {
        { "ticks", 1 }, { "1/300 s", SECOND / 300 }, { "seconds", SECOND }, { "minutes", 60 * SECOND },
    };
    struct progress *progress = *state;

    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        ticks now = BEGIN + HOUR, times[RECORDS], step = ticks_max(rows[row].grain, SECOND) / 15;
        int requests;

        for (int i = 0; i < RECORDS; i++)
            times[i] = BEGIN + HOUR / 3 + i * step + i * 7919 % step;
        begin(progress);
        requests = read_poll(progress, times, RECORDS, rows[row].grain, &now);
        CHECK(requests <= 40, "%s: %d requests", rows[row].name, requests);
    }
}

/* What is before a quarantined window is more than a response holds, and reaches beyond the end of the plan. */
static void test_too_much_before_a_quarantine(void **state)
{
    enum { RECORDS = 60 };
    static const struct { const char *name; ticks first, step, quarantined; } rows[] = {
        { "all of it is past", 0, 55 * SECOND, HOUR - SECOND },
        { "some of it is dated in the future", 3000 * SECOND, 600 * SECOND, 12 * HOUR },
        { "all of it is", HOUR + 60 * SECOND, 60 * SECOND, 12 * HOUR },
        { "it is dense at the present", HOUR - 30 * SECOND, SECOND, 2 * HOUR },
    };
    struct progress *progress = *state;

    for (size_t row = 0; row < COUNT_OF(rows); row++) {
        ticks now = BEGIN + HOUR, times[RECORDS];
        struct window quarantined = { BEGIN + rows[row].quarantined, BEGIN + rows[row].quarantined + SECOND };
        int requests;

        for (int i = 0; i < RECORDS; i++)
            times[i] = BEGIN + rows[row].first + i * rows[row].step;
        begin(progress);
        quarantine_add(&progress->quarantine, &quarantined, BEGIN / SECOND);
        requests = read_poll(progress, times, RECORDS, 1, &now);
        CHECK(requests < 40, "%s: %d requests", rows[row].name, requests);
        quarantine_release(&progress->quarantine);
    }
}

/* How far a window of the live worker raises the watermark, in seconds after the beginning. The service's clock shows
 * 100 s. A record that the watermark passes without its window being read would never be asked for again. */
static void test_what_raises_the_watermark(void **state)
{
    static const struct { const char *name; int hi; size_t count; int oldest, newest, want; } rows[] = {
        { "the newest record of an open window", -1, 3, 10, 90, 90 },
        { "a record from the future", -1, 3, 10, 5000, 100 },
        { "no record", -1, 0, 0, 0, 0 },
        { "the newest record of a bounded window", 50, 3, 10, 40, 40 },
        { "a record after the window, of a service that ignores the filter", 50, 3, 10, 95, 49 },
        { "a record before the window", 50, 1, -500, -500, 0 },
    };
    struct progress *progress = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct window window = { BEGIN, rows[i].hi < 0 ? TICKS_OPEN : BEGIN + rows[i].hi * SECOND };
        struct page_stats stats = { .count = rows[i].count, .oldest = BEGIN + rows[i].oldest * SECOND, .newest = BEGIN + rows[i].newest * SECOND };
        ticks got;

        begin(progress);
        progress->plans[WORKER_LIVE] = (struct window_plan){ .active = rows[i].hi >= 0, .next = BEGIN, .width = SECOND,
                                                             .end = BEGIN + 100 * SECOND };
        progress_read(progress, WORKER_LIVE, &window, rows[i].count ? &stats : &(struct page_stats){ .count = 0, .oldest = 1, .newest = 0 }, 0,
                      BEGIN + 100 * SECOND, 0, 0);
        got = progress->cursor.watermark;
        CHECK((got - BEGIN) / SECOND == rows[i].want, "%s: %lld s", rows[i].name, (long long)((got - BEGIN) / SECOND));
        CHECK(rows[i].hi < 0 || got < window.hi, "%s: past the window", rows[i].name);
    }
}

static int open_progress(void **state)
{
    static struct progress progress;

    progress_init(&progress, OVERLAP);
    *state = &progress;
    return 0;
}

static int close_progress(void **state)
{
    progress_release(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_progress, close_progress)

static const struct CMUnitTest cases[] = {
    CASE(test_nothing_before_the_beginning),
    CASE(test_only_what_is_safe_is_saved),
    CASE(test_pruned_to_what_is_needed),
    CASE(test_forgets_what_was_written),
    CASE(test_begins_again),
    CASE(test_windows_around_a_quarantine),
    CASE(test_a_poll_past_a_quarantine_reaches_the_present),
    CASE(test_many_quarantined_windows_cost_few_requests),
    CASE(test_a_quarantined_window_counts_as_read),
    CASE(test_isolates),
    CASE(test_a_quarantined_window_raises_the_watermark),
    CASE(test_versions_in_quarantine_are_kept),
    CASE(test_the_backfill_has_nothing_to_read),
    CASE(test_a_long_poll_is_shared_by_both_workers),
    CASE(test_a_page_of_the_latest),
    CASE(test_the_future_belongs_to_the_open_window),
    CASE(test_too_many_records_of_the_future),
    CASE(test_a_burst_through_a_coarse_filter),
    CASE(test_too_much_before_a_quarantine),
    CASE(test_what_raises_the_watermark),
};

UNIT(progress, cases, NULL, NULL)
