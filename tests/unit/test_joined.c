/* A checkpoint of the shared store and one of the file become one. */
#include "collect/joined.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "state/checkpoint.h"

#define HEAD     "{\"version\": 1, \"tenant_id\": \"t\", \"api\": \"graph\", "
#define OTHER    "{\"version\": 1, \"tenant_id\": \"before\", \"api\": \"graph\", "
#define TIMES(n) "\"begin\": \"2026-11-01T00:00:00.0000000Z\", \"newest\": \"" n "\", \"floor\": \"2026-11-01T00:00:00.0000000Z\", "
#define EARLY    "2026-11-02T08:00:00.0000000Z"
#define LATE     "2026-11-02T08:05:00.0000000Z"
#define SEEN(id) "\"written\": [\"" EARLY " " id "\"]}"
#define ID_A     "00000000000000000000000000000001"
#define ID_B     "00000000000000000000000000000002"

struct row {
    const char *name, *shared, *own;
    const char *newest; /* of the result; NULL: there is none */
    size_t known;
    int64_t ledger;     /* -1: it speaks of none */
    bool own_since, rate, imported;
};

static const struct row rows[] = {
    { "the store alone", HEAD TIMES(LATE) SEEN(ID_A), NULL, LATE, 1, -1, false, false, false },
    { "the store has read farther", HEAD TIMES(LATE) SEEN(ID_A), HEAD "\"ledger\": 7, " TIMES(EARLY) SEEN(ID_B), LATE, 2, 7,
      false, false, false },
    { "the file has read farther", HEAD TIMES(EARLY) SEEN(ID_A), HEAD TIMES(LATE) SEEN(ID_B), LATE, 2, -1, false, false,
      false },
    { "what is the host's own is the file's", HEAD "\"ledger\": 9, \"own_since\": \"" EARLY "\", \"salt\": \"x\", " TIMES(LATE) SEEN(ID_A),
      HEAD TIMES(EARLY) SEEN(ID_A), LATE, 1, -1, false, false, false },
    { "it stays", HEAD TIMES(LATE) SEEN(ID_A),
      HEAD "\"own_since\": \"" EARLY "\", \"rate\": {\"hour\": 5, \"at\": \"" EARLY "\"}, \"salt\": "
           "\"0123456789abcdef0123456789abcdef\", \"taken\": {\"client_secret\": "
           "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}, " TIMES(EARLY) SEEN(ID_A),
      LATE, 1, -1, true, false, true },
    { "the store's is of the tenant before an edit", OTHER TIMES(LATE) SEEN(ID_A),
      HEAD "\"ledger\": 7, " TIMES(EARLY) SEEN(ID_B), EARLY, 1, 7, false, false, false },
    { "the file's is of the tenant before an edit", HEAD TIMES(EARLY) SEEN(ID_A),
      OTHER "\"ledger\": 7, " TIMES(LATE) SEEN(ID_B), EARLY, 1, -1, false, false, false },
    { "the store's is none", "{\"version\": 9}", HEAD TIMES(EARLY) SEEN(ID_A), NULL, 0, -1, false, false, false },
    { "the file's is none", HEAD TIMES(EARLY) SEEN(ID_A), "[]", NULL, 0, -1, false, false, false },
};

static void check_row(const struct row *row)
{
    struct checkpoint found = { .tenant_id = NULL };
    const struct joined_input input = { .tenant_id = "t", .api = &api_graph };
    struct dedup *dedup = dedup_new();
    struct buf text = BUF_INIT(1 << 20), own = BUF_INIT(1 << 20);
    struct err err;
    ticks newest;
    bool ok;

    buf_add_text(&text, row->shared);
    buf_add_text(&own, row->own ? row->own : "");
    ok = joined_checkpoint(&text, row->own ? &own : NULL, &input);
    CHECK(ok == (row->newest != NULL), "%s", row->name);
    if (ok) {
        CHECK(checkpoint_parse(buf_text(&text), text.len, &found, dedup, &err), "%s: %s", row->name, err.text);
        ticks_parse(row->newest, strlen(row->newest), &newest);
        CHECK(found.cursor.watermark == newest, "%s: the cursor", row->name);
        CHECK(dedup_count(dedup) == row->known, "%s: %zu versions", row->name, dedup_count(dedup));
        CHECK((found.has_ledger ? found.ledger : -1) == row->ledger, "%s: ledger", row->name);
        CHECK((found.own_since != 0) == row->own_since && !found.own_until, "%s: own_since", row->name);
        CHECK(found.rate.known == row->rate && (found.imported_count > 0) == row->imported, "%s: the host's own", row->name);
    }
    checkpoint_release(&found);
    dedup_free(dedup);
    buf_free(&text);
    buf_free(&own);
}

/* promise: Sharing: An input that comes back goes on with what both forwarders know */
static void test_rows(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++)
        check_row(&rows[i]);
}

static const struct CMUnitTest cases[] = { cmocka_unit_test(test_rows) };

UNIT(joined, cases, NULL, NULL)
