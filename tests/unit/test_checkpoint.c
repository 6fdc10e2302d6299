/* Checkpoints as text: written, read back, and every way in which a text can be no checkpoint. */
#include "state/checkpoint.h"

#include "base/mem.h"
#include "check.h"

#define T(s) "\"2026-11-01T08:35:" s "Z\""
#define HEAD "{\"version\":1,\"tenant_id\":\"t\",\"api\":\"graph\",\"begin\":" T("00") ",\"newest\":" T("10") \
             ",\"floor\":" T("05")
#define KEY  "0123456789abcdef0123456789abcdef"

#define QUARANTINED(from, to, tries) "{\"from\":" T(from) ",\"to\":" T(to) ",\"since\":" T("50") ",\"due\":" T("55") \
                                     ",\"tries\":" tries ",\"isolated\":true}"
#define QUARANTINE(list) HEAD ",\"quarantine\":[" list "],\"written\":[]}"

static const struct { const char *text; bool good; const char *why; } rows[] = {
    { HEAD ",\"written\":[]}", true, "" },
    { HEAD ",\"written\":[\"2026-11-01T08:35:12Z " KEY "\"]}", true, "" },
    { HEAD ",\"backfill\":null,\"written\":[]}", true, "" },
    { HEAD ",\"unknown\":[1,{}],\"written\":[],\"taken\":7}", true, "" },
    { "", false, "not a JSON object" }, { "[]", false, "not a JSON object" }, { "null", false, "not a JSON object" },
    { HEAD ",\"written\":[]", false, "not a JSON object" }, { HEAD ",\"written\":[]}x", false, "not a JSON object" },
    { "{}", false, "no version" }, { "{\"version\":\"x\"}", false, "no version" },
    { "{\"version\":0}", false, "no version" },
    { "{\"version\":2}", false, "version 2" }, { "{\"version\":99999}", false, "version 99999" },
    { "{\"version\":1}", false, "tenant_id" }, { "{\"version\":1,\"tenant_id\":\"t\",\"api\":7}", false, "tenant_id" },
    { "{\"version\":1,\"tenant_id\":\"t\",\"api\":\"graph\",\"written\":[]}", false, "'begin'" },
    { HEAD "}", false, "'written'" }, { HEAD ",\"written\":{}}", false, "'written'" },
    { HEAD ",\"written\":[7]}", false, "time hash" }, { HEAD ",\"written\":[\"\"]}", false, "time hash" },
    { HEAD ",\"written\":[\"2026-11-01T08:35:12Z " KEY "\",\"x " KEY "\"]}", false, "time hash" },
    { HEAD ",\"written\":[\"2026-11-01T08:35:12Z 0123456789abcdef0123456789abcde\"]}", false, "time hash" },
    { HEAD ",\"written\":[\"2026-11-01T08:35:12Z " KEY "0\"]}", false, "time hash" },
    { HEAD ",\"written\":[\"2026-11-01T08:35:12Z 0123456789abcdef-123456789abcdef\"]}", false, "time hash" },
    { HEAD ",\"written\":[\"2026-11-01T08:35:12Z 00000000000000000000000000000000\"]}", false, "time hash" },
    { HEAD ",\"backfill\":7,\"written\":[]}", false, "backfill" },
    { HEAD ",\"backfill\":{},\"written\":[]}", false, "backfill" },
    { HEAD ",\"partial\":{\"from\":" T("07") ",\"written\":[\"2026-11-01T08:35:12Z " KEY "\"]},\"written\":[]}", true,
      "" },
    { HEAD ",\"partial\":7,\"written\":[]}", false, "partial" },
    { HEAD ",\"partial\":{},\"written\":[\"2026-11-01T08:35:12Z " KEY "\"]}", false, "partial" },
    { HEAD ",\"partial\":{\"from\":" T("07") "},\"written\":[\"2026-11-01T08:35:12Z " KEY "\"]}", false, "partial" },
    { HEAD ",\"partial\":{\"from\":" T("07") ",\"written\":[1]},\"written\":[]}", false, "partial" },
    /* not worth the loss of a checkpoint */
    { HEAD ",\"rate\":7,\"written\":[]}", true, "" }, { HEAD ",\"rate\":{\"hour\":-1},\"written\":[]}", true, "" },
    { HEAD ",\"worked\":7,\"lost\":\"never\",\"written\":[]}", true, "" },
    { HEAD ",\"worked\":\"a at b for c\",\"lost\":" T("07") ",\"written\":[]}", true, "" },
    { QUARANTINE(""), true, "" }, { HEAD ",\"quarantine\":null,\"written\":[]}", true, "" },
    { QUARANTINE(QUARANTINED("01", "02", "3")), true, "" },
    { QUARANTINE(QUARANTINED("03", "04", "3") "," QUARANTINED("01", "02", "0")), true, "" },
    { QUARANTINE("7"), false, "quarantine" }, { QUARANTINE("{}"), false, "quarantine" },
    { QUARANTINE(QUARANTINED("02", "01", "3")), false, "not a window" },
    { QUARANTINE(QUARANTINED("01", "01", "3")), false, "not a window" },
    { QUARANTINE(QUARANTINED("01", "03", "3") "," QUARANTINED("02", "04", "3")), false, "not a window" },
    { QUARANTINE(QUARANTINED("01", "xx", "3")), false, "quarantine: member 'to'" },
    { QUARANTINE(QUARANTINED("01", "02", "-1")), false, "'tries'" },
    { QUARANTINE(QUARANTINED("01", "02", "\"many\"")), false, "'tries'" },
    { QUARANTINE("{\"from\":" T("01") ",\"to\":" T("02") ",\"tries\":1}"), false, "'since'" },
};

static void test_rows(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct checkpoint cp = { .imported_count = 0 };
        struct dedup *dedup = dedup_new();
        struct err err = { .text = "" };
        bool good = checkpoint_parse(rows[i].text, strlen(rows[i].text), &cp, dedup, &err);

        CHECK(good == rows[i].good && strstr(err.text, rows[i].why), "row %zu: %d '%s'", i, good, err.text);
        CHECK(good || (!cp.tenant_id && !cp.quarantine.list && !dedup_count(dedup) && !dedup_count(dedup_partial(dedup))),
              "row %zu leaves something behind", i);
        checkpoint_release(&cp);
        dedup_free(dedup);
    }
}

/* promise: Trouble: A customer that worked before and left is lost. What never worked is refused. */
static void test_loss(void **state UNUSED)
{
    struct checkpoint cp = { .imported_count = 0 }, again = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct quarantine quarantine = { .count = 0 };
    struct buf text = BUF_INIT(1 << 16);
    struct err err;

    checkpoint_assign(&cp, "t", "graph");
    CHECK(checkpoint_note_loss(&cp, "app at \"host\"", 7 * TICKS_PER_SECOND), "no news");
    CHECK(!checkpoint_note_loss(&cp, "app at \"host\"", 7 * TICKS_PER_SECOND), "the same is news");
    checkpoint_format(&cp, &cp.cursor, &quarantine, dedup, 0, 900, &text);
    CHECK(checkpoint_parse(buf_text(&text), text.len, &again, dedup, &err), "%s", err.text);
    CHECK_TEXT(again.worked, "app at \"host\"");
    CHECK(again.lost == 7 * TICKS_PER_SECOND, "%lld", (long long)again.lost);
    checkpoint_assign(&again, "other", "graph");
    CHECK(!again.worked && !again.lost, "another tenant worked");
    buf_free(&text);
    dedup_free(dedup);
    checkpoint_release(&cp);
    checkpoint_release(&again);
}

static void test_cut(void **state UNUSED)      /* at every byte */
{
    static const char text[] = HEAD ",\"written\":[\"2026-11-01T08:35:12Z " KEY "\"]}";
    struct checkpoint cp = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct err err;
    size_t len;

    for (len = 0; len < strlen(text); len++)
        CHECK(!checkpoint_parse(text, len, &cp, dedup, &err) && !dedup_count(dedup), "%zu bytes were taken", len);
    dedup_free(dedup);
}

static void check_round_trip(bool backfill)
{
    struct checkpoint cp = { .tenant_id = mem_text("a\"b\\\n\xC3\xA9"), .api = mem_text("siem") };
    struct checkpoint copy = { .imported_count = 0 };
    struct cursor cursor = { .begin = 100, .watermark = 9000 * TICKS_PER_SECOND, .dedup_floor = 200 }, raised;
    struct dedup *dedup = dedup_new(), *copied = dedup_new();
    struct buf text = BUF_INIT(64u << 20);
    struct quarantine none = { .count = 0 };
    struct err err;
    size_t i;

    if (backfill) {
        cursor.backfill.active = true;
        cursor.backfill.next = 3000 * TICKS_PER_SECOND;
        cursor.backfill.end = 8000 * TICKS_PER_SECOND;
        cursor.backfill.watermark = 2900 * TICKS_PER_SECOND;
        cursor.dedup_floor = cursor.backfill.end;
        cursor.backfill.dedup_floor = 150;
    }
    cp.has_ledger = backfill;
    cp.ledger = backfill ? INT64_C(123456789012) : 0;
    checkpoint_add_imported(&cp, "client_secret", "s3cret");
    checkpoint_add_imported(&cp, "refresh_token", "old");
    checkpoint_add_imported(&cp, "refresh_token", "new");
    checkpoint_add_imported(&cp, "proxy", "guessed"); /* as an older version did */
    for (i = 0; i < 10000; i++)
        dedup_add(dedup, (struct dedup_entry){ dedup_key((char *)&i, sizeof(i), 0), (ticks)i * TICKS_PER_SECOND, i });
    checkpoint_format(&cp, &cursor, &none, dedup, 9500, 900, &text);
    CHECK(!strstr(text.data, "s3cret"), "a secret is in the file");
    CHECK(checkpoint_parse(text.data, text.len, &copy, copied, &err), "%s", err.text);
    raised = cursor;
    cursor_raise_floors(&raised, 900);
    CHECK(cursor_same_saved(&raised, &copy.cursor, 900) && !strcmp(cp.tenant_id, copy.tenant_id), "another place");
    for (i = 0; i < 10000; i++) {
        bool want = i <= 9500 && cursor_needs(&cursor, (ticks)i * TICKS_PER_SECOND, 900);

        CHECK(dedup_has(copied, dedup_key((char *)&i, sizeof(i), 0)) == want, "version %zu", i);
        /* What the place asks for again is known, or was not safe. */
        CHECK(want || i > 9500 || (ticks)i * TICKS_PER_SECOND < (backfill ? cursor.backfill.next : cursor_lower(&cursor, 900)) ||
              (backfill && (ticks)i * TICKS_PER_SECOND >= cursor.backfill.end), "version %zu would come again", i);
    }
    CHECK(checkpoint_has_imported(&copy, "client_secret", "s3cret") && checkpoint_has_imported(&copy, "refresh_token", "new"),
          "taken");
    CHECK(copy.has_ledger == cp.has_ledger && copy.ledger == cp.ledger, "the ledger: %lld", (long long)copy.ledger);
    CHECK(!checkpoint_has_imported(&copy, "refresh_token", "old") && !checkpoint_has_imported(&copy, "proxy", "guessed"),
          "not taken");
    checkpoint_release(&cp);
    checkpoint_release(&copy);
    dedup_free(dedup);
    dedup_free(copied);
    buf_free(&text);
}

static void test_round_trip(void **state UNUSED)
{
    check_round_trip(false);
}

static void test_round_trip_with_a_backfill(void **state UNUSED)
{
    check_round_trip(true);
}

/* What was written in part, from where on it is to be read again, and what is kept for that. */
static void test_round_trip_of_what_was_written_in_part(void **state UNUSED)
{
    struct checkpoint cp = { .tenant_id = mem_text("t"), .api = mem_text("endpoint") }, copy = { .imported_count = 0 };
    struct cursor cursor = { .begin = 1, .watermark = 9000 * TICKS_PER_SECOND, .dedup_floor = 1,
                             .partial_from = 2000 * TICKS_PER_SECOND };
    struct dedup *dedup = dedup_new(), *copied = dedup_new();
    struct buf text = BUF_INIT(64u << 20);
    struct err err = { .text = "" };

    for (ticks i = 1; i < 9000; i++) {
        struct dedup_entry entry = { dedup_key((char *)&i, sizeof(i), 0), i * TICKS_PER_SECOND, (uint64_t)i };

        dedup_add(i % 2 ? dedup : dedup_partial(dedup), entry);
    }
    checkpoint_format(&cp, &cursor, &(struct quarantine){ .count = 0 }, dedup, 8900, 900, &text);
    CHECK(checkpoint_parse(buf_text(&text), text.len, &copy, copied, &err), "%s", err.text);
    CHECK(copy.cursor.partial_from == cursor.partial_from, "from another time");
    CHECK(copy.cursor.dedup_floor == cursor.partial_from, "the set is complete from %lld on",
          (long long)copy.cursor.dedup_floor);
    for (ticks i = 1; i < 9000; i++) {
        struct hash128 key = dedup_key((char *)&i, sizeof(i), 0);

        CHECK(dedup_has(copied, key) == (i % 2 && i >= 2000 && i <= 8900), "version %lld in full", (long long)i);
        CHECK(dedup_has(dedup_partial(copied), key) == (i % 2 == 0 && i >= 8100 - CURSOR_COARSE_S && i <= 8900), "version %lld in part",
              (long long)i);
    }
    checkpoint_release(&cp);
    checkpoint_release(&copy);
    dedup_free(dedup);
    dedup_free(copied);
    buf_free(&text);
}

/* promise: Checkpoints: What a service did not keep is not asked for again after a restart, for four hours in all */
static void test_round_trip_of_the_rate(void **state UNUSED)
{
    struct checkpoint cp = { .tenant_id = mem_text("t"), .api = mem_text("endpoint") }, copy = { .imported_count = 0 };
    struct cursor cursor = { .begin = 1, .watermark = 1, .dedup_floor = 1 };
    struct dedup *dedup = dedup_new();
    struct err err = { .text = "" };

    for (int known = 0; known < 2; known++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(4096);

        cp.rate.known = known;
        cp.rate.hour = 123.4;
        cp.rate.at = 5 * TICKS_PER_SECOND;
        cp.again.order = known * 6 * TICKS_PER_SECOND;
        cp.again.count = known * 7 * TICKS_PER_SECOND;
        cp.own_since = known * 8 * TICKS_PER_SECOND;
        cp.own_until = known * 9 * TICKS_PER_SECOND;
        checkpoint_format(&cp, &cursor, &(struct quarantine){ .count = 0 }, dedup, 0, 900, &text);
        CHECK(checkpoint_parse(buf_text(&text), text.len, &copy, dedup, &err), "%s", err.text);
        CHECK(copy.rate.known == known, "known: %d", copy.rate.known);
        CHECK(copy.again.order == cp.again.order && copy.again.count == cp.again.count && !copy.again.hint, "again");
        CHECK(copy.own_since == cp.own_since && copy.own_until == cp.own_until, "what it alone wrote");
        CHECK(!known || (copy.rate.hour > 123.3 && copy.rate.hour < 123.5 && copy.rate.at == cp.rate.at), "%.1f",
              copy.rate.hour);
    }
    checkpoint_release(&cp);
    checkpoint_release(&copy);
    dedup_free(dedup);
}

/* A struct that holds an older checkpoint is replaced as a whole, or not at all. */
static void test_replaces_what_it_held(void **state UNUSED)
{
    struct checkpoint cp = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct err err;

    checkpoint_assign(&cp, "older", "siem");
    checkpoint_add_imported(&cp, "client_secret", "s");
    cp.cursor.backfill.active = true;
    CHECK(!checkpoint_parse(rows[5].text, 2, &cp, dedup, &err), "parsed");
    CHECK_TEXT(cp.tenant_id, "older");
    CHECK(cp.imported_count == 1 && cp.cursor.backfill.active, "a text that is refused changes nothing");
    CHECK(checkpoint_parse(rows[1].text, strlen(rows[1].text), &cp, dedup, &err), "%s", err.text);
    CHECK_TEXT(cp.tenant_id, "t");
    CHECK_TEXT(cp.api, "graph");
    CHECK(!cp.imported_count && !*cp.salt && !cp.cursor.backfill.active, "something older is left");
    checkpoint_release(&cp);
    dedup_free(dedup);
}

/* Windows that wait are saved. So are those whose events splunkd may not have; they are requested again. */
static void test_round_trip_with_a_quarantine(void **state UNUSED)
{
    static const struct { uint64_t pos; size_t want; } counts[] = { { 0, 4 }, { 99, 4 }, { 100, 3 }, { 199, 3 }, { 200, 2 } };
    struct quarantine quarantine = { .count = 0 };
    struct cursor cursor = { .begin = 100, .watermark = 9000 * TICKS_PER_SECOND };
    struct dedup *dedup = dedup_new();
    struct window window;
    struct err err;

    for (ticks i = 1; i <= 4; i++)
        quarantine_add(&quarantine, &(struct window){ i * 1000 + 1, i * 1000 + 8 }, 1790000000 + i);
    window = quarantine.list[0].window;
    quarantine_failed(&quarantine, &window, &(struct quarantine_failure){ .proven = true, .resolution = 1,
                                                                          .now_s = 1790009984 });
    quarantine_read(&quarantine, &(struct window){ 2001, 2008 }, 100);
    quarantine_read(&quarantine, &(struct window){ 3001, 3008 }, 200);
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct checkpoint cp = { .tenant_id = mem_text("t"), .api = mem_text("graph") };
        struct buf text = BUF_INIT(1 << 20);
        struct quarantined *first;

        checkpoint_format(&cp, &cursor, &quarantine, dedup, counts[i].pos, 900, &text);
        CHECK(checkpoint_parse(buf_text(&text), text.len, &cp, dedup, &err), "%s", err.text);
        CHECK(cp.quarantine.count == counts[i].want && quarantine_waiting(&cp.quarantine) == counts[i].want,
              "at %llu: %zu windows", (unsigned long long)counts[i].pos, cp.quarantine.count);
        first = cp.quarantine.list;
        CHECK(window_same(&first->window, &window) && first->since_s == 1790000001 && first->due_s == 1790009999 &&
              first->tries == 1 && first->search == SEARCH_LOGGED, "another window");
        CHECK(first[1].search == SEARCH_COARSE && !first[1].tries, "another history");
        checkpoint_release(&cp);
        buf_free(&text);
    }
    quarantine_release(&quarantine);
    dedup_free(dedup);
}

/* What the members of a quarantined window say about the search in it. They are those of earlier checkpoints. */
static void test_searches_in_a_quarantine(void **state UNUSED)
{
    static const struct { const char *members; int tries; enum quarantined_search search; } searches[] = {
        { "\"tries\":0,\"isolated\":false", 0, SEARCH_COARSE }, { "\"tries\":1,\"isolated\":false", 1, SEARCH_FINE },
        { "\"tries\":5,\"isolated\":false", 5, SEARCH_FINE },   { "\"tries\":1,\"isolated\":true", 1, SEARCH_LOGGED },
        { "\"tries\":9,\"isolated\":true", 9, SEARCH_LOGGED },  { "\"tries\":2", 2, SEARCH_FINE },
    };

    for (size_t i = 0; i < COUNT_OF(searches); i++) {
        struct checkpoint cp = { .imported_count = 0 };
        struct dedup *dedup = dedup_new();
        CLEANUP(mem_freep) char *text = mem_format(QUARANTINE("{\"from\":" T("01") ",\"to\":" T("02") ",\"since\":" T("50") ",\"due\":" T("55")
                                           ",%s}"), searches[i].members);
        const struct quarantined *entry;
        struct err err;

        CHECK(checkpoint_parse(text, strlen(text), &cp, dedup, &err) && cp.quarantine.count == 1, "row %zu: %s", i, err.text);
        entry = cp.quarantine.list;
        CHECK(entry->tries == searches[i].tries && entry->search == searches[i].search &&
              entry->state == QUARANTINED_FAILED, "row %zu: search %d", i, entry->search);
        checkpoint_release(&cp);
        dedup_free(dedup);
    }
}

/* Versions in a quarantined window, and as far around it as a coarse filter reaches, are saved, however old it is. */
static void test_versions_in_quarantine(void **state UNUSED)
{
    struct checkpoint cp = { .tenant_id = mem_text("t"), .api = mem_text("graph") };
    struct quarantine quarantine = { .count = 0 };
    struct cursor cursor = { .begin = 100, .watermark = 9000 * TICKS_PER_SECOND };
    struct dedup *dedup = dedup_new(), *copied = dedup_new();
    struct buf text = BUF_INIT(1 << 20);
    struct err err;

    quarantine_add(&quarantine, &(struct window){ 1000 * TICKS_PER_SECOND, 1010 * TICKS_PER_SECOND }, 0);
    for (ticks time = 900 * TICKS_PER_SECOND; time < 1100 * TICKS_PER_SECOND; time += TICKS_PER_SECOND)
        dedup_add(dedup, (struct dedup_entry){ dedup_key((char *)&time, sizeof(time), time), time, 50 });
    checkpoint_format(&cp, &cursor, &quarantine, dedup, 50, 900, &text);
    CHECK(checkpoint_parse(buf_text(&text), text.len, &cp, copied, &err), "%s", err.text);
    for (ticks time = 900 * TICKS_PER_SECOND; time < 1100 * TICKS_PER_SECOND; time += TICKS_PER_SECOND)
        CHECK(dedup_has(copied, dedup_key((char *)&time, sizeof(time), time)) ==
              (time >= 940 * TICKS_PER_SECOND && time < 1070 * TICKS_PER_SECOND),
              "version of %lld s", (long long)(time / TICKS_PER_SECOND));
    checkpoint_release(&cp);
    quarantine_release(&quarantine);
    buf_free(&text);
    dedup_free(dedup);
    dedup_free(copied);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_rows),
    cmocka_unit_test(test_cut),
    cmocka_unit_test(test_loss),
    cmocka_unit_test(test_round_trip),
    cmocka_unit_test(test_round_trip_with_a_backfill),
    cmocka_unit_test(test_round_trip_of_what_was_written_in_part),
    cmocka_unit_test(test_round_trip_of_the_rate),
    cmocka_unit_test(test_round_trip_with_a_quarantine),
    cmocka_unit_test(test_searches_in_a_quarantine),
    cmocka_unit_test(test_versions_in_quarantine),
    cmocka_unit_test(test_replaces_what_it_held),
};

UNIT(checkpoint, cases, NULL, NULL)
