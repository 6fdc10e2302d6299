/* The list of windows that could not be read. Times of the table rows are seconds. */
#include "state/quarantine.h"

#include <string.h>

#include "check.h"

#define S TICKS_PER_SECOND

static struct window seconds(int lo, int hi)
{
    return (struct window){ lo * S, hi < 0 ? TICKS_OPEN : hi * S };
}

static void add(struct quarantine *quarantine, int lo, int hi)
{
    struct window window = seconds(lo, hi);

    quarantine_add(quarantine, &window, 100);
}

/* The window failed at that time, and cannot be halved if nothing is proven. */
static enum quarantine_outcome fails(struct quarantine *quarantine, const struct window *window, int64_t now_s, bool proven)
{
    return quarantine_failed(quarantine, window, &(struct quarantine_failure){ .proven = proven, .resolution = 1, .now_s = now_s });
}

/* Shows the list as "lo-hi", '*' for one that was read. */
static const char *shown(const struct quarantine *quarantine)
{
    static char text[1024];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < quarantine->count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld-%lld%s", i ? " " : "",
                                (long long)(quarantine->list[i].window.lo / S),
                                (long long)(quarantine->list[i].window.hi / S), quarantine->list[i].state == QUARANTINED_READ ? "*" : "");
    return text;
}

static void test_add(void **state)
{
    static const struct { const char *name; int lo, hi; const char *want; } rows[] = {
        { "before all", 0, 5, "0-5 10-20 30-40*" },
        { "right before one", 5, 10, "5-10 10-20 30-40*" },
        { "between two", 22, 28, "10-20 22-28 30-40*" },
        { "just between two", 20, 30, "10-20 20-30 30-40*" },
        { "after all", 50, 60, "10-20 30-40* 50-60" },
        { "the same again", 10, 20, "10-20 30-40*" },
        { "inside of one", 12, 15, "10-20 30-40*" },
        { "the beginning is there", 15, 25, "10-20 20-25 30-40*" },
        { "the end is there", 5, 15, "5-10 10-20 30-40*" },
        { "one that had been read fails again", 30, 40, "10-20 30-40" },
        { "all of both and around", 0, 50, "0-10 10-20 20-30 30-40 40-50" },
        { "nothing", 25, 25, "10-20 30-40*" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;

        quarantine_release(quarantine);
        add(quarantine, 10, 20);
        add(quarantine, 30, 40);
        quarantine_read(quarantine, &quarantine->list[1].window, 7);
        add(quarantine, rows[i].lo, rows[i].hi);
        CHECK(strcmp(shown(quarantine), rows[i].want) == 0, "%s: %s", rows[i].name, shown(quarantine));
    }
}

static void test_restore(void **state)
{
    static const struct { const char *name; int lo, hi; bool ok; } rows[] = {
        { "a free place", 0, 10, true }, { "another one", 20, 30, true }, { "empty", 5, 5, false },
        { "backwards", 50, 40, false }, { "open", 50, -1, false }, { "the same", 10, 20, false },
        { "overlapping at its end", 5, 11, false }, { "overlapping at its beginning", 19, 25, false },
        { "inside", 12, 13, false }, { "around", 0, 50, false },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;
        struct quarantined entry = { .window = seconds(rows[i].lo, rows[i].hi), .since_s = 1, .due_s = 2, .tries = 3,
                                     .search = SEARCH_LOGGED };

        quarantine_release(quarantine);
        add(quarantine, 10, 20);
        CHECK(quarantine_restore(quarantine, &entry) == rows[i].ok, "%s", rows[i].name);
        CHECK(quarantine->count == 1u + rows[i].ok, "%s: %s", rows[i].name, shown(quarantine));
    }
}

/* The one that failed least often first, then the widest, then the oldest. */
static void test_order(void **state)
{
    struct quarantine *quarantine = *state;
    struct window a = seconds(0, 10), b = seconds(20, 40), c = seconds(50, 60);
    static const int want[] = { 20, 0, 50 };

    CHECK(!quarantine_due(quarantine, 1000) && quarantine_next_s(quarantine, 1000) == INT64_MAX, "empty");
    add(quarantine, 50, 60);
    add(quarantine, 20, 40);
    add(quarantine, 0, 10);
    CHECK(quarantine_due(quarantine, 1) && quarantine_next_s(quarantine, 1) == 1, "due by any clock");
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        const struct quarantined *due = quarantine_due(quarantine, 100);
        struct window window;

        CHECK(due && due->window.lo == want[i] * S, "turn %zu: %lld", i, due ? (long long)(due->window.lo / S) : -1);
        window = due->window;
        quarantine_read(quarantine, &window, i);
    }
    CHECK(!quarantine_due(quarantine, 100) && quarantine_next_s(quarantine, 100) == INT64_MAX, "all are read");
    quarantine_release(quarantine);
    add(quarantine, 0, 10);
    add(quarantine, 20, 40);
    add(quarantine, 50, 60);
    fails(quarantine, &b, 85, false);
    fails(quarantine, &a, 285, false);
    CHECK(quarantine_due(quarantine, 100)->window.lo == c.lo, "one that never failed");
    fails(quarantine, &c, 185, false);
    CHECK(quarantine_due(quarantine, 199)->window.lo == b.lo && quarantine_next_s(quarantine, 199) == 199, "the only one due");
}

/* The clock was days ahead when the next try was planned, or is days behind now. */
static void test_planned_by_a_wrong_clock(void **state)
{
    static const struct { const char *name; int64_t due_s, now_s, next_s; } rows[] = {
        { "later", 5000, 1000, 5000 },
        { "the longest wait", 15400, 1000, 15400 },
        { "longer than that", 15401, 1000, 1000 },
        { "days", 1000 + 40 * 86400, 1000, 1000 },
        { "long overdue", 1000, 40 * 86400, 40 * 86400 },
    };
    struct quarantine *quarantine = *state;

    add(quarantine, 0, 10);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        quarantine->list[0].due_s = rows[i].due_s;
        CHECK(quarantine_next_s(quarantine, rows[i].now_s) == rows[i].next_s, "%s", rows[i].name);
        CHECK(!quarantine_due(quarantine, rows[i].now_s) == (rows[i].next_s > rows[i].now_s), "%s", rows[i].name);
    }
}

static void test_halve(void **state)
{
    static const struct { const char *name; struct window window; ticks resolution; bool ok; ticks cut; } rows[] = {
        { "down to ticks", { 1000, 1100 }, 1, true, 1050 },
        { "two ticks", { 1000, 1002 }, 1, true, 1001 },
        { "one tick", { 1000, 1001 }, 1, false, 0 },
        { "the cut is on the grid", { 1003, 1047 }, 10, true, 1030 },
        { "not two cells of the grid", { 1003, 1017 }, 10, true, 1010 },
        { "a cell and a bit", { 1010, 1021 }, 10, true, 1020 },
        { "a bit and a cell", { 1009, 1020 }, 10, true, 1010 },
        { "two bits of cells", { 1009, 1012 }, 10, false, 0 },
        { "one cell", { 1010, 1020 }, 10, false, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;
        struct window window = rows[i].window;
        uint64_t version;

        quarantine_release(quarantine);
        quarantine_add(quarantine, &window, 100);
        version = quarantine->version;
        CHECK(quarantine_halve(quarantine, &window, rows[i].resolution) == rows[i].ok, "%s", rows[i].name);
        CHECK((quarantine->version != version) == rows[i].ok && quarantine->count == 1u + rows[i].ok, "%s", rows[i].name);
        if (rows[i].ok)
            CHECK(quarantine->list[0].window.hi == rows[i].cut && quarantine->list[1].window.lo == rows[i].cut &&
                  quarantine->list[0].window.lo == window.lo && quarantine->list[1].window.hi == window.hi, "%s: cut at %lld",
                  rows[i].name, (long long)quarantine->list[0].window.hi);
    }
}

/* One row for each state of the search and each kind of failure; COARSE windows are a second wide. */
static void test_what_follows_from_a_failure(void **state)
{
    enum { M15 = 900, M30 = 1800, H4 = 14400 };
    static const struct {
        const char *name;
        enum quarantined_search search;
        int tries;
        ticks width;
        bool proven, broke;
        enum quarantine_outcome outcome;
        enum quarantined_search next;
        int due_s;
    } rows[] = {
        { "coarse, wide", SEARCH_COARSE, 0, S + 1, true, false, QUARANTINE_HALVED, SEARCH_COARSE, 0 },
        { "coarse, wide, broken JSON", SEARCH_COARSE, 0, S + 1, true, true, QUARANTINE_HALVED, SEARCH_COARSE, 0 },
        { "coarse", SEARCH_COARSE, 0, S, true, false, QUARANTINE_ISOLATED, SEARCH_LOGGED, 15 },
        { "coarse, broken JSON", SEARCH_COARSE, 0, S, true, true, QUARANTINE_CONTINUES, SEARCH_FINE, 0 },
        { "coarse, no proof", SEARCH_COARSE, 0, 100 * S, false, false, QUARANTINE_STALLED, SEARCH_FINE, 15 },
        { "coarse, no proof, broken JSON", SEARCH_COARSE, 0, S, false, true, QUARANTINE_STALLED, SEARCH_FINE, 15 },
        { "fine", SEARCH_FINE, 1, 2, true, false, QUARANTINE_HALVED, SEARCH_FINE, 0 },
        { "fine, one step", SEARCH_FINE, 1, 1, true, false, QUARANTINE_ISOLATED, SEARCH_LOGGED, 15 },
        { "fine, one step, broken JSON", SEARCH_FINE, 1, 1, true, true, QUARANTINE_ISOLATED, SEARCH_LOGGED, 15 },
        { "fine, one step, at last", SEARCH_FINE, 7, 1, true, false, QUARANTINE_ISOLATED, SEARCH_LOGGED, 15 },
        { "fine, no proof", SEARCH_FINE, 1, 2, false, false, QUARANTINE_WAITS, SEARCH_FINE, M15 },
        { "fine, no proof for long", SEARCH_FINE, 9, 2, false, true, QUARANTINE_WAITS, SEARCH_FINE, H4 },
        { "logged", SEARCH_LOGGED, 1, S, true, false, QUARANTINE_HALVED, SEARCH_LOGGED, 0 },
        { "logged, one step", SEARCH_LOGGED, 1, 1, true, false, QUARANTINE_WAITS, SEARCH_LOGGED, M15 },
        { "logged, the second time", SEARCH_LOGGED, 2, 1, true, true, QUARANTINE_WAITS, SEARCH_LOGGED, M15 },
        { "logged, the third time", SEARCH_LOGGED, 3, 1, true, false, QUARANTINE_WAITS, SEARCH_LOGGED, M30 },
        { "logged, no proof", SEARCH_LOGGED, 3, S, false, false, QUARANTINE_WAITS, SEARCH_LOGGED, M30 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;
        struct quarantined entry = { .window = { 10 * S, 10 * S + rows[i].width }, .search = rows[i].search,
                                     .tries = rows[i].tries, .since_s = 1, .due_s = 1000 };
        bool halved = rows[i].outcome == QUARANTINE_HALVED;
        const struct quarantined *first;
        enum quarantine_outcome outcome;
        uint64_t version;

        quarantine_release(quarantine);
        quarantine_restore(quarantine, &entry);
        version = quarantine->version;
        outcome = quarantine_failed(quarantine, &entry.window, &(struct quarantine_failure){
            .proven = rows[i].proven, .broke = rows[i].broke, .resolution = 1, .now_s = 1000 });
        first = quarantine->list;
        CHECK(outcome == rows[i].outcome && quarantine->count == 1u + halved, "%s: outcome %d", rows[i].name, outcome);
        CHECK(first->state == (halved ? QUARANTINED_HALF : QUARANTINED_FAILED) && first->search == rows[i].next &&
              first->tries == rows[i].tries + !halved && quarantine->version != version, "%s: state %d, search %d",
              rows[i].name, first->state, first->search);
        CHECK(first->due_s == 1000 + rows[i].due_s, "%s: due after %lld s", rows[i].name, (long long)first->due_s - 1000);
        CHECK(!halved || (first[1].state == QUARANTINED_HALF && first[1].search == rows[i].next &&
                          first[1].tries == rows[i].tries && first[1].due_s == 1000), "%s: the second half", rows[i].name);
    }
}

/* Searches for one bad tick in a second: a request for each step, and one for all that is left over. */
static size_t search(struct quarantine *quarantine, ticks bad)
{
    static const struct quarantine_failure failure = { .proven = true, .resolution = 1, .now_s = 5000 };
    size_t requests = 0;
    const struct quarantined *due;

    while ((due = quarantine_due(quarantine, 1000)) && requests < 100) {
        struct window window = due->window;

        requests++;
        if (window.lo <= bad && bad < window.hi) {
            quarantine_failed(quarantine, &window, &failure);
        } else {
            quarantine_infer(quarantine, &window, &failure);
            quarantine_read(quarantine, &window, 1);
        }
    }
    return requests;
}

static void test_search(void **state)
{
    static const ticks bads[] = { 0, 1, 2, 3, 4999999, 5000000, 5000001, 1234567, 9999998, 9999999 };

    for (size_t i = 0; i < COUNT_OF(bads); i++) {
        struct quarantine *quarantine = *state;
        struct window window = { 10 * S, 11 * S };
        const struct quarantined *entry;
        ticks covered = 0;
        size_t requests;

        quarantine_release(quarantine);
        quarantine_add(quarantine, &window, 100);
        fails(quarantine, &window, 100, true);
        requests = search(quarantine, 10 * S + bads[i]);
        CHECK(requests <= 28, "bad tick %lld: %zu requests", (long long)bads[i], requests);
        CHECK(quarantine_waiting(quarantine) == 1, "bad tick %lld: %zu wait", (long long)bads[i],
              quarantine_waiting(quarantine));
        for (entry = quarantine->list; entry < quarantine->list + quarantine->count; entry++) {
            CHECK(entry == quarantine->list || entry[-1].window.hi == entry->window.lo, "bad tick %lld: a gap",
                  (long long)bads[i]);
            CHECK((entry->state == QUARANTINED_READ) != (entry->window.lo == 10 * S + bads[i]), "bad tick %lld", (long long)bads[i]);
            covered += entry->window.hi - entry->window.lo;
        }
        CHECK(covered == S, "bad tick %lld: %lld ticks", (long long)bads[i], (long long)covered);
    }
}

/* The first half was read, so the other one is bad and halved; a window from elsewhere is not. */
static void test_infer(void **state)
{
    enum half { UNTOUCHED, HALVED, REQUESTED, READ };
    static const struct {
        const char *name;
        enum quarantined_search search;
        bool proven, broke;
        enum half other;
        bool ok;
    } rows[] = {
        { "fine", SEARCH_FINE, true, false, UNTOUCHED, true },
        { "logged", SEARCH_LOGGED, true, false, UNTOUCHED, true },
        { "coarse: both halves are requested", SEARCH_COARSE, true, false, UNTOUCHED, false },
        { "coarse, broken JSON", SEARCH_COARSE, true, true, UNTOUCHED, true },
        { "nothing proves that it is to blame", SEARCH_FINE, false, true, UNTOUCHED, false },
        { "the next one is a part of the other half", SEARCH_FINE, true, false, HALVED, false },
        { "the other half was requested", SEARCH_FINE, true, false, REQUESTED, false },
        { "the other half was read", SEARCH_FINE, true, false, READ, false },
    };
    const struct window first = seconds(10, 20), second = seconds(20, 30), third = seconds(30, 40);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;
        struct quarantine_failure failure = { .proven = rows[i].proven, .broke = rows[i].broke, .resolution = 1 };
        size_t count;

        quarantine_release(quarantine);
        quarantine_restore(quarantine, &(struct quarantined){ .window = seconds(10, 30), .search = rows[i].search,
                                                              .tries = rows[i].search != SEARCH_COARSE });
        add(quarantine, 30, 40);
        CHECK(!quarantine_infer(quarantine, &quarantine->list[0].window, &failure), "%s: it is no half", rows[i].name);
        quarantine_halve(quarantine, &quarantine->list[0].window, 1);
        CHECK(quarantine_due(quarantine, 100)->window.lo == (rows[i].search == SEARCH_COARSE ? 10 : 30) * S, "the order");
        if (rows[i].other == HALVED)
            quarantine_halve(quarantine, &second, 1);
        else if (rows[i].other == REQUESTED)
            fails(quarantine, &second, 500, false);
        else if (rows[i].other == READ)
            quarantine_read(quarantine, &second, 7);
        count = quarantine->count;
        CHECK(!quarantine_infer(quarantine, &second, &failure) && !quarantine_infer(quarantine, &third, &failure),
              "%s: the next one is no half of it", rows[i].name);
        CHECK(quarantine_infer(quarantine, &first, &failure) == rows[i].ok && quarantine->count == count + rows[i].ok,
              "%s: %s", rows[i].name, shown(quarantine));
        CHECK(!rows[i].ok || quarantine->list[1].window.hi == 25 * S, "%s: %s", rows[i].name, shown(quarantine));
    }
}

/* promise: Trouble: An empty part of a second does not end the search where the service filters by whole seconds */
static void test_doubt(void **state)
{
    static const struct { const char *name; ticks lo, hi, part_lo, part_hi; bool other_read, doubted; const char *want; } rows[] = {
        { "the last part of a second", 10 * S, 11 * S, 10 * S, 10 * S + S / 2, true, true, "10-11" },
        { "another part waits", 10 * S, 11 * S, 10 * S, 10 * S + S / 2, false, false, "10-10 10-11" },
        { "the other half waits in the next second", 10 * S + S / 2, 11 * S + S / 2, 10 * S + S / 2, 11 * S, false, false, "10-11 11-11" },
        { "a whole second", 10 * S, 12 * S, 10 * S, 11 * S, true, false, "10-11 11-12*" },
        { "the end of a second", 10 * S + S / 2, 11 * S + S / 2, 10 * S + S / 2, 11 * S, true, true, "10-11 11-11*" },
        { "it is not in the list", 10 * S, 11 * S, 10 * S, 10 * S + 1, true, false, "10-10 10-11*" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;
        struct window whole = { rows[i].lo, rows[i].hi }, part = { rows[i].part_lo, rows[i].part_hi };
        struct window other = { rows[i].lo + (rows[i].hi - rows[i].lo + 1) / 2, rows[i].hi };
        bool doubted;

        quarantine_release(quarantine);
        quarantine_add(quarantine, &whole, 100);
        quarantine_halve(quarantine, &whole, 1);
        if (rows[i].other_read)
            quarantine_read(quarantine, &other, 5);
        doubted = quarantine_doubt(quarantine, &part, 1000);
        CHECK(doubted == rows[i].doubted && strcmp(shown(quarantine), rows[i].want) == 0, "%s: %d, %s", rows[i].name, doubted,
              shown(quarantine));
        CHECK(!doubted || (!quarantine_due(quarantine, 1000) && quarantine_next_s(quarantine, 1000) == 1015 &&
                           quarantine_waiting(quarantine) == 1), "%s: it is not tried again after 15 s", rows[i].name);
    }
}

/* Windows are tenths of a second from the tenth on: "lo-hi", '*' for one that was read. */
/* promise: Trouble: A query by whole seconds asks for all quarantined parts of a second with one request */
static void test_join(void **state)
{
    static const struct { const char *name; int windows[8]; unsigned read; ticks step; const char *want; } rows[] = {
        { "parts of a second", { 1, 2, 3, 4, 8, 10 }, 0, S, "101-110" },
        { "parts that adjoin", { 1, 2, 2, 3, 3, 4 }, 0, S, "101-104" },
        { "two seconds", { 1, 2, 3, 4, 11, 12, 18, 19 }, 0, S, "101-104 111-119" },
        { "one that reaches into the next second", { 1, 2, 3, 14, 15, 16 }, 0, S, "101-102 103-114 115-116" },
        { "one that reaches from the last second", { 1, 12, 13, 14, 15, 16 }, 0, S, "101-112 113-116" },
        { "a whole second", { 0, 10, 10, 20 }, 0, S, "100-110 110-120" },
        { "a single part", { 1, 2 }, 0, S, "101-102" },
        { "one between them was read", { 1, 2, 3, 4, 5, 6 }, 2, S, "101-106" },
        { "those around it were read", { 1, 2, 3, 4, 5, 6 }, 5, S, "101-102* 103-104 105-106*" },
        { "the query has the finest step", { 1, 2, 2, 3, 3, 4 }, 0, 1, "101-102 102-103 103-104" },
    };
    const ticks tenth = S / 10;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;
        const int *windows = rows[i].windows;
        char text[200] = "";
        size_t len = 0;

        quarantine_release(quarantine);
        for (unsigned k = 0; k < 4 && windows[2 * k + 1]; k++) {
            struct window window = { 10 * S + windows[2 * k] * tenth, 10 * S + windows[2 * k + 1] * tenth };

            quarantine_add(quarantine, &window, 100);
            if (rows[i].read >> k & 1)
                quarantine_read(quarantine, &window, 7);
        }
        quarantine_join(quarantine, rows[i].step);
        for (size_t k = 0; k < quarantine->count; k++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld-%lld%s", k ? " " : "",
                                    (long long)(quarantine->list[k].window.lo / tenth),
                                    (long long)(quarantine->list[k].window.hi / tenth),
                                    quarantine->list[k].state == QUARANTINED_READ ? "*" : "");
        CHECK(strcmp(text, rows[i].want) == 0, "%s: %s", rows[i].name, text);
    }
}

/* The whole is due when the first of its parts was, and what was logged is not logged again. */
static void test_joined_entry(void **state)
{
    struct quarantine *quarantine = *state;
    const struct quarantined entries[] = {
        { .window = { S, S + 1 }, .state = QUARANTINED_HALF, .search = SEARCH_FINE, .tries = 3, .since_s = 50, .due_s = 900 },
        { .window = { S + 5, S + 6 }, .search = SEARCH_LOGGED, .tries = 4, .since_s = 60, .due_s = 800 },
        { .window = { S + 8, S + 9 }, .search = SEARCH_COARSE, .tries = 2, .since_s = 40, .due_s = 950 },
    };
    const struct quarantined *whole;
    uint64_t version;

    for (size_t i = 0; i < COUNT_OF(entries); i++)
        quarantine_restore(quarantine, &entries[i]);
    version = quarantine->version;
    quarantine_join(quarantine, S);
    whole = quarantine->list;
    CHECK(quarantine->count == 1 && quarantine->version != version, "%s", shown(quarantine));
    CHECK(whole->state == QUARANTINED_FAILED && whole->search == SEARCH_LOGGED && whole->tries == 2 && whole->since_s == 40 &&
          whole->due_s == 800, "%d %d %d %lld %lld", whole->state, whole->search, whole->tries, (long long)whole->since_s,
          (long long)whole->due_s);
    version = quarantine->version;
    quarantine_join(quarantine, S);
    CHECK(quarantine->version == version, "nothing was to be joined");
}

/* What is done with a window that has gone meanwhile does nothing. */
static void test_gone(void **state)
{
    struct quarantine *quarantine = *state;
    struct window gone = seconds(10, 15);
    uint64_t version;

    add(quarantine, 10, 20);
    version = quarantine->version;
    quarantine_read(quarantine, &gone, 1);
    CHECK(!quarantine_infer(quarantine, &gone, &(struct quarantine_failure){ .proven = true, .resolution = 1 }) &&
          !quarantine_halve(quarantine, &gone, 1) && fails(quarantine, &gone, 5, true) == QUARANTINE_GONE &&
          !quarantine_find(quarantine, &gone), "it is there");
    CHECK(quarantine->version == version && quarantine_waiting(quarantine) == 1, "something changed");
}

static void test_wake(void **state)
{
    struct quarantine *quarantine = *state;
    struct window window = seconds(10, 20);

    add(quarantine, 10, 20);
    fails(quarantine, &window, 700, false);
    CHECK(quarantine_next_s(quarantine, 100) == 715 && !quarantine_due(quarantine, 700), "later");
    quarantine_wake(quarantine);
    CHECK(quarantine_next_s(quarantine, 400) == 400 && quarantine_due(quarantine, 400), "woken");
    CHECK(quarantine_next_s(quarantine, 1) == 1 && quarantine_due(quarantine, 1), "by any clock");
}

/* Three windows that wait, two of them in a row, and one that was read. */
static void add_four(struct quarantine *quarantine)
{
    struct window done = seconds(60, 70);

    add(quarantine, 10, 20);
    add(quarantine, 30, 40);
    add(quarantine, 40, 50);
    add(quarantine, 60, 70);
    quarantine_read(quarantine, &done, 1);
}

static void test_avoid(void **state)
{
    static const struct { const char *name; int lo, hi; bool left; int want_lo, want_hi; } rows[] = {
        { "before all", 0, 5, true, 0, 5 }, { "up to one", 0, 10, true, 0, 10 }, { "into one", 0, 15, true, 0, 10 },
        { "over one", 5, 35, true, 5, 10 }, { "inside of one", 12, 15, false, 0, 0 }, { "just one", 10, 20, false, 0, 0 },
        { "from one on", 15, 28, true, 20, 28 }, { "from one on into the next", 15, 35, true, 20, 30 },
        { "two in a row", 30, 50, false, 0, 0 }, { "out of two in a row", 35, 55, true, 50, 55 },
        { "over one that was read", 55, 75, true, 55, 75 }, { "inside of one that was read", 62, 65, true, 62, 65 },
        { "open, before all", 0, -1, true, 0, 10 }, { "open, from the last", 45, -1, true, 50, -1 },
        { "open, after all", 80, -1, true, 80, -1 },
    };
    struct quarantine *quarantine = *state;

    add_four(quarantine);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct window window = seconds(rows[i].lo, rows[i].hi), want = seconds(rows[i].want_lo, rows[i].want_hi);

        CHECK(quarantine_avoid(quarantine, &window) == rows[i].left, "%s", rows[i].name);
        CHECK(!rows[i].left || window_same(&window, &want), "%s: %lld to %lld", rows[i].name, (long long)(window.lo / S),
              (long long)(window.hi / S));
    }
}

static void test_gaps(void **state)
{
    static const struct { const char *name; int lo, hi; size_t gaps; int end; } rows[] = {
        { "none", 60, 90, 0, 60 }, { "before all", 0, 10, 0, 0 }, { "one", 0, 25, 1, 20 }, { "two in a row are one", 20, 90, 1, 50 },
        { "all", 0, 90, 2, 50 }, { "from inside of one", 15, 90, 1, 50 }, { "inside of one", 12, 15, 0, 20 },
    };
    struct quarantine *quarantine = *state;

    add_four(quarantine);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ticks end;
        size_t gaps = quarantine_gaps(quarantine, rows[i].lo * S, rows[i].hi * S, &end);

        CHECK(gaps == rows[i].gaps && end == rows[i].end * S, "%s: %zu, %lld", rows[i].name, gaps, (long long)(end / S));
    }
}

static void test_reaches(void **state)
{
    static const struct { int at; bool want; } rows[] = { { 939, false }, { 940, true },  { 1000, true }, { 1079, true },
                                                          { 1080, false }, { 1939, false }, { 1940, true },
                                                          { 2025, true }, { 2090, true }, { 2119, true }, { 2120, false } };
    struct quarantine *quarantine = *state;
    struct window done = seconds(2050, 2060);

    add(quarantine, 1000, 1020);
    add(quarantine, 2000, 2010);
    add(quarantine, 2050, 2060);
    quarantine_read(quarantine, &done, 1);      /* a crash may still bring it again */
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        CHECK(quarantine_reaches(quarantine, rows[i].at * S) == rows[i].want, "%d s", rows[i].at);
}

/* A part of a second that becomes the whole one again reaches no further: what is further away has left the dedup set. */
static void test_doubt_reaches_no_further(void **state)
{
    struct quarantine *quarantine = *state;
    struct window part = { 1000 * S + S / 2, 1000 * S + S / 2 + 1 };
    const ticks step = S / 10, from = 930 * S, until = 1070 * S;
    bool before[(1070 - 930) * 10];
    size_t count = 0;

    quarantine_add(quarantine, &part, 100);
    for (ticks time = from; time < until; time += step)
        before[count++] = quarantine_reaches(quarantine, time);
    CHECK(quarantine_doubt(quarantine, &part, 100), "it is still a part");
    for (size_t i = 0; i < count; i++)
        CHECK(quarantine_reaches(quarantine, from + (ticks)i * step) == before[i], "%zu tenths after %d s: %d before", i, 930,
              before[i]);
}

static void test_settle(void **state)
{
    static const struct { const char *name; uint64_t pos; int oldest; size_t given_up; const char *want; } rows[] = {
        { "nothing is taken", 49, 0, 0, "10-20 30-40* 150-160" },
        { "what was read is taken", 50, 0, 0, "10-20 150-160" },
        { "old, but it failed a short while ago", 49, 90, 0, "10-20 30-40* 150-160" },
        { "too old", 49, 101, 1, "150-160" },
        { "all are too old", 50, 161, 2, "" },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct quarantine *quarantine = *state;
        struct window done = seconds(30, 40);
        uint64_t version;
        size_t given_up;

        quarantine_release(quarantine);
        add(quarantine, 10, 20);
        add(quarantine, 30, 40);
        add(quarantine, 150, 160);
        quarantine_read(quarantine, &done, 50);
        version = quarantine->version;
        given_up = quarantine_settle(quarantine, rows[i].pos, rows[i].oldest * S);
        CHECK(given_up == rows[i].given_up && strcmp(shown(quarantine), rows[i].want) == 0, "%s: %zu given up, '%s'",
              rows[i].name, given_up, shown(quarantine));
        CHECK((quarantine->version != version) == (quarantine->count != 3), "%s: the version", rows[i].name);
    }
}

static int open_quarantine(void **state)
{
    static struct quarantine quarantine;

    *state = &quarantine;
    return 0;
}

static int close_quarantine(void **state)
{
    quarantine_release(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_quarantine, close_quarantine)

static const struct CMUnitTest cases[] = {
    CASE(test_add),
    CASE(test_restore),
    CASE(test_order), CASE(test_planned_by_a_wrong_clock),
    CASE(test_halve),
    CASE(test_what_follows_from_a_failure),
    CASE(test_search),
    CASE(test_infer),
    CASE(test_doubt), CASE(test_join), CASE(test_joined_entry), CASE(test_gone),
    CASE(test_wake),
    CASE(test_avoid),
    CASE(test_gaps),
    CASE(test_reaches), CASE(test_doubt_reaches_no_further),
    CASE(test_settle),
};

UNIT(quarantine, cases, NULL, NULL)
