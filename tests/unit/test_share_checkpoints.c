/* Checkpoints in the shared KV store: what is written of them, in which batches and pieces, and what is read of them, over
 * a store in memory. */
#include "share/checkpoints_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "fake_kvstore.h"
#include "state/checkpoint.h"

#define TOKEN   "a.b.c"
#define SINCE_1 "1111111111111111"
#define SINCE_2 "2222222222222222"
#define SINCE_3 "3333333333333333"

#define T(s) "\"2026-11-01T08:35:" s "Z\""
#define OF(tenant, api)                                                                                                \
    "{\"version\":1,\"tenant_id\":\"" tenant "\",\"api\":\"" api "\",\"begin\":" T("00") ",\"newest\":" T("10")       \
    ",\"floor\":" T("05")
#define HEAD     OF("t", "graph")
#define V(digit) "\"2026-11-01T08:35:0" digit ".0000000Z 0123456789abcdef000000000000000" digit "\""
#define OWN                                                                                                            \
    ",\"salt\":\"0123456789abcdef0123456789abcdef\",\"taken\":{\"client_secret\":"                                     \
    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"}"

struct scene {
    struct fake_kvstore store;
    struct loop *loop;
    struct share_link *link;
    struct share_checkpoints *checkpoints;
    int answers;
    enum kvstore_fault fault;
    struct err err;
    struct buf text; /* of the last load */
};

static void begin(struct scene *scene)
{
    *scene = (struct scene){ .loop = loop_new(), .text = BUF_INIT(CHECKPOINT_MAX) };
    fake_kvstore_begin(&scene->store);
    scene->link =
        share_link_new(&(struct share_link_spec){ .loop = scene->loop, .urls = "https://one:8089", .token = TOKEN });
    scene->checkpoints = share_checkpoints_new(
        &(struct share_checkpoints_spec){ .loop = scene->loop, .link = scene->link, .group = "g" });
}

static void end(struct scene *scene)
{
    share_checkpoints_free(scene->checkpoints);
    share_link_free(scene->link);
    fake_kvstore_end(&scene->store);
    loop_free(scene->loop);
    buf_free(&scene->text);
}

static void put(struct scene *scene, const char *input, const char *since, int64_t number, const char *text)
{
    share_checkpoints_put(scene->checkpoints, input, since, number, text, strlen(text));
}

static void flush(struct scene *scene)
{
    share_checkpoints_flush(scene->checkpoints);
    fake_kvstore_settle();
}

static void on_loaded(void *ctx, enum kvstore_fault fault, const struct err *err, const struct buf *text)
{
    struct scene *scene = ctx;

    scene->answers++;
    scene->fault = fault;
    scene->err = *err;
    buf_clear(&scene->text);
    if (text)
        buf_add(&scene->text, text->data, text->len);
}

static void load(struct scene *scene, const char *input)
{
    scene->answers = 0;
    share_checkpoints_load(scene->checkpoints, input, on_loaded, scene);
    CHECK(!scene->answers, "answered from inside of the call");
    fake_kvstore_settle();
    CHECK(scene->answers == 1, "%d answers", scene->answers);
}

/* Returns how many versions the checkpoint of the last load holds; -1: it is none. */
static int loaded_count(const struct scene *scene)
{
    struct checkpoint checkpoint = { .imported_count = 0 };
    struct dedup *dedup = dedup_new();
    struct err err;
    int count = -1;

    if (checkpoint_parse(buf_text(&scene->text), scene->text.len, &checkpoint, dedup, &err))
        count = (int)dedup_count(dedup);
    checkpoint_release(&checkpoint);
    dedup_free(dedup);
    return count;
}

/* Appends a checkpoint's text with the versions first to last - 1, as the file has it: one each 10 ms. */
static void compose(struct buf *to, const char *head, int first, int last)
{
    int i;

    buf_clear(to);
    buf_add_format(to, "%s,\n \"written\": [", head);
    for (i = first; i < last; i++) {
        char time[TICKS_TEXT_MAX];

        ticks_text((INT64_C(1790000000) * 100 + i) * (TICKS_PER_SECOND / 100), time);
        buf_add_format(to, "%s\n  \"%s %016llx%016x\"", i > first ? "," : "", time,
                       (unsigned long long)(unsigned)i * 0x9e3779b97f4a7c15, 7);
    }
    buf_add_text(to, "]}\n");
}

static void put_many(struct scene *scene, const char *input, const char *head, int first, int last)
{
    struct buf text = BUF_INIT(CHECKPOINT_MAX);

    compose(&text, head, first, last);
    share_checkpoints_put(scene->checkpoints, input, SINCE_1, 1, text.data, text.len);
    buf_free(&text);
}

/* Text. */

static const struct strip_row {
    const char *text, *want; /* want NULL: it is no checkpoint */
} strips[] = {
    { HEAD ",\"written\":[" V("1") "]}", HEAD ",\"written\":[" V("1") "]}" },
    { " " HEAD OWN ",\"ledger\":5,\"rate\":{\"hour\":1},\"again\":{\"x\":[1]}, \"tid\" : null,\n \"written\" : [ ] }\n",
      HEAD ",\"tid\":null,\"written\":[]}" },
    { "{\"written\":[" V("1") " , " V("2") "],\"tenant_id\":\"t\",\"api\":\"siem\",\"salt\":1,\"salt\":2}",
      "{\"tenant_id\":\"t\",\"api\":\"siem\",\"written\":[" V("1") "," V("2") "]}" },
    { HEAD ",\"partial\":{\"from\":" T("01") ",\"written\":[" V("3") "]},\"written\":[]}",
      HEAD ",\"partial\":{\"from\":" T("01") ",\"written\":[" V("3") "]},\"written\":[]}" },
    { HEAD ",\"x\":\"a \\\"written\\\": [\",\"pieces\":[1,2],\"written\":[]}",
      HEAD ",\"x\":\"a \\\"written\\\": [\",\"written\":[]}" },
    { HEAD ",\"written\":[],\"written\":[" V("1") "]}", HEAD ",\"written\":[]}" },
    { "", NULL },
    { "[]", NULL },
    { "\"written\"", NULL },
    { "{\"written\"", NULL },
    { "{\"written\":[", NULL },
    { "{\"written\":[]", NULL },
    { HEAD "}", NULL },
    { HEAD ",\"written\":7}", NULL },
    { HEAD ",\"written\":[7]}", NULL },
    { HEAD ",\"written\":[" V("1") ",]}", NULL },
    { HEAD ",\"written\":[" V("1") " " V("2") "]}", NULL },
    { HEAD ",\"written\":[\"\"]}", NULL },
    { HEAD ",\"written\":[\"2026-11-01T08:35:12Z 0123456789abcdef0123456789abcde\"]}", NULL },
    { HEAD ",\"written\":[]}x", NULL },
    { HEAD ",\"written\":[]", NULL },
    { HEAD ",\"pieces\":[\"1\"],\"written\":[]}", NULL },
    { HEAD ",\"pieces\":[-1],\"written\":[]}", NULL },
    { "{\"written\":[]}", NULL },
};

static void test_strip(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(strips); i++) {
        struct buf got = BUF_INIT(10000);
        bool ok = share_checkpoint_strip(strips[i].text, strlen(strips[i].text), &got);

        CHECK(ok == (strips[i].want != NULL), "row %zu", i);
        CHECK(!ok || text_same(buf_text(&got), strips[i].want), "row %zu: %s", i, buf_text(&got));
        buf_free(&got);
    }
}

#define ONE_HEAD OF("11111111-0000-0000-0000-000000000000", "graph")

static const struct merge_row {
    const char *text, *other, *want; /* NULL: refused */
} merges[] = {
    { HEAD ",\"written\":[" V("1") "]}", HEAD ",\"x\":1,\"written\":[" V("2") "," V("1") "]}",
      HEAD ",\"written\":[" V("1") "," V("2") "]}" },
    { HEAD OWN ",\"written\":[]}", HEAD ",\"written\":[]}", HEAD OWN ",\"written\":[]}" },
    { HEAD ",\"written\":[]}", HEAD ",\"ledger\":9" OWN ",\"written\":[]}", HEAD OWN ",\"written\":[]}" },
    { OF("T", "graph") ",\"written\":[]}", HEAD ",\"written\":[" V("1") "]}",
      OF("T", "graph") ",\"written\":[" V("1") "]}" },
    { HEAD ",\"tid\":\"11111111-0000-0000-0000-000000000000\",\"written\":[]}", ONE_HEAD ",\"written\":[" V("1") "]}",
      HEAD ",\"tid\":\"11111111-0000-0000-0000-000000000000\",\"written\":[" V("1") "]}" },
    { HEAD ",\"written\":[]}", OF("u", "graph") ",\"written\":[" V("1") "]}", NULL },
    { HEAD ",\"written\":[]}", OF("t", "siem") ",\"written\":[" V("1") "]}", NULL },
    { HEAD ",\"written\":[]}", "{\"written\":[]}", NULL },
    { HEAD ",\"written\":[]}", "{\"tenant_id\":\"t\",\"api\":\"graph\",\"written\":[]}", NULL },
    { HEAD ",\"written\":[]}", "", NULL },
    { "", HEAD ",\"written\":[]}", NULL },
};

static void test_merge(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(merges); i++) {
        const struct merge_row *row = &merges[i];
        struct buf text = BUF_INIT(10000);
        bool ok;

        buf_add_text(&text, row->text);
        ok = share_checkpoint_merge(&text, row->other, strlen(row->other));
        CHECK(ok == (row->want != NULL), "row %zu", i);
        CHECK(text_same(buf_text(&text), ok ? row->want : row->text), "row %zu: %s", i, buf_text(&text));
        buf_free(&text);
    }
}

/* Pieces. */

struct changes {
    size_t pieces, versions, largest;
};

static void note_change(void *ctx, int n, const struct version *list UNUSED, size_t count)
{
    struct changes *changes = ctx;

    CHECK(n >= 0 && n < PIECES_MOST && count > 0, "piece %d with %zu", n, count);
    changes->pieces++;
    changes->versions += count;
    if (count > changes->largest)
        changes->largest = count;
}

static struct version version_at(int time, unsigned key)
{
    return (struct version){ .time = time, .key = { (uint64_t)key * 0x9e3779b97f4a7c15 + 1, 1 } };
}

static struct changes update(struct pieces *pieces, struct versions *versions)
{
    struct changes changes = { 0 };
    size_t i, count = 0;

    versions_sort(versions);
    CHECK(pieces_update(pieces, versions, note_change, &changes), "refused");
    for (i = 0; i < pieces->count; i++)
        count += pieces->list[i].count;
    CHECK(count == versions->count, "%zu versions in pieces, %zu in all", count, versions->count);
    CHECK(changes.largest <= PIECE_MOST, "a piece of %zu", changes.largest);
    return changes;
}

/* promise: Sharing: Of a checkpoint with many written versions, a save writes about two pieces */
static void test_pieces(void **state UNUSED)
{
    struct pieces pieces = { .count = 0 };
    struct versions versions = { .count = 0 };
    struct changes changes;
    unsigned key = 0;
    int minute, i;

    for (i = 0; i < 100000; i++)
        versions_add(&versions, version_at(i, key++));
    changes = update(&pieces, &versions);
    CHECK(changes.pieces == 25 && pieces.count == 25, "%zu of %zu", changes.pieces, pieces.count);
    CHECK(update(&pieces, &versions).pieces == 0, "nothing has changed");
    for (minute = 1; minute <= 60; minute++) { /* 800 versions are new, some of them late, and as many are pruned */
        memmove(versions.list, versions.list + 800, (versions.count - 800) * sizeof(*versions.list));
        versions.count -= 800;
        for (i = 0; i < 800; i++)
            versions_add(&versions, version_at(100000 + minute * 800 - (i % 40 ? i : i + 1000), key++));
        changes = update(&pieces, &versions);
        CHECK(changes.pieces <= 4, "minute %d: %zu of %zu pieces", minute, changes.pieces, pieces.count);
    }
    CHECK(pieces.count <= 30, "%zu", pieces.count);
    versions_free(&versions);
    pieces_free(&pieces);
}

/* Many of one time, growth in the middle, and a thinned-out set. */
static void test_pieces_odd(void **state UNUSED)
{
    struct pieces pieces = { .count = 0 };
    struct versions versions = { .count = 0 };
    unsigned key = 0;
    size_t kept, i;

    for (i = 0; i < 9000; i++)
        versions_add(&versions, version_at(5, key++));
    CHECK(update(&pieces, &versions).pieces == 3, "%zu", pieces.count);
    for (i = 0; i < 20; i++) {
        size_t k;

        for (k = 0; k < 3000; k++)
            versions_add(&versions, version_at((int)(i % 7), key++));
        update(&pieces, &versions);
        CHECK(pieces.count <= 2 * (versions.count / PIECE_MOST + 1) + 2, "%zu pieces of %zu", pieces.count,
              versions.count);
    }
    for (i = kept = 0; i < versions.count; i += 9)
        versions.list[kept++] = versions.list[i];
    versions.count = kept;
    update(&pieces, &versions);
    CHECK(pieces.count <= 2 * (versions.count / PIECE_MOST + 1) + 2, "%zu pieces of %zu", pieces.count, versions.count);
    while (versions.count <= (size_t)PIECE_MOST * PIECES_MOST)
        versions_add(&versions, version_at(9, key++));
    versions_sort(&versions);
    CHECK(!pieces_update(&pieces, &versions, note_change, NULL), "more than a million were taken");
    versions_free(&versions);
    pieces_free(&pieces);
}

/* Saves. */

static void test_save(void **state UNUSED)
{
    const char key[] = "g.place." SINCE_1 ".con%2Ftoso";
    struct scene scene;

    begin(&scene);
    CHECK(!share_checkpoints_waits(scene.checkpoints, NULL), "nothing was put");
    flush(&scene);
    CHECK(!scene.store.calls, "%d calls for nothing", scene.store.calls);
    put(&scene, "con/toso", SINCE_1, 7, HEAD OWN ",\"written\":[" V("1") "]}");
    put(&scene, "con/toso", SINCE_1, 7, HEAD OWN ",\"written\":[" V("2") "]}");
    put(&scene, "b", SINCE_1, 7, "no checkpoint");
    CHECK(share_checkpoints_waits(scene.checkpoints, "con/toso") && share_checkpoints_waits(scene.checkpoints, NULL) &&
              !share_checkpoints_waits(scene.checkpoints, "b"),
          "one input waits");
    flush(&scene);
    CHECK(!share_checkpoints_waits(scene.checkpoints, NULL) && !share_checkpoints_trouble(scene.checkpoints), "waits");
    CHECK(scene.store.calls == 1 && scene.store.saved_records == 1, "%d calls", scene.store.calls);
    CHECK_TEXT(fake_kvstore_text(&scene.store, key, "text"), HEAD ",\"written\":[" V("2") "]}");
    CHECK_TEXT(fake_kvstore_text(&scene.store, key, "input"), "con/toso");
    CHECK_TEXT(fake_kvstore_text(&scene.store, key, "id"), SINCE_1);
    CHECK(json_member(json_member(scene.store.records, key), "number")->valueint == 7, "its number");
    put(&scene, "con/toso", SINCE_1, 7, HEAD ",\"written\":[]}");
    put(&scene, "con/toso", SINCE_2, 8, HEAD ",\"written\":[" V("3") "]}");
    flush(&scene);
    CHECK(scene.store.saved_records == 2 && fake_kvstore_count(&scene.store, "place") == 2, "of the newest since only");
    put(&scene, "con/toso", SINCE_2, 8, HEAD ",\"written\":[]}");
    share_checkpoints_forget(scene.checkpoints, "con/toso");
    share_checkpoints_forget(scene.checkpoints, "never put");
    flush(&scene);
    CHECK(scene.store.saved_records == 2, "it was forgotten");
    end(&scene);
}

/* Which of three are there: "a", "big" with its pieces, and "b" under another since. */
static void on_listed(void *ctx, const struct share_keys *keys)
{
    struct scene *scene = ctx;

    scene->answers++;
    buf_clear(&scene->text);
    buf_add_format(&scene->text, "%d%d%d", share_checkpoints_listed(scene->checkpoints, keys, "a", SINCE_1),
                   share_checkpoints_listed(scene->checkpoints, keys, "big", SINCE_1),
                   share_checkpoints_listed(scene->checkpoints, keys, "b", SINCE_2));
}

static void check_listed(struct scene *scene, const char *loses, const char *want)
{
    CLEANUP(mem_freep) char *key = mem_format("g.place.%s", loses);

    cJSON_DeleteItemFromObjectCaseSensitive(scene->store.records, key);
    share_checkpoints_list(scene->checkpoints, on_listed, scene);
    fake_kvstore_settle();
    CHECK(text_same(buf_text(&scene->text), want), "without %s: %s", loses, buf_text(&scene->text));
}

static void test_listed(void **state UNUSED)
{
    struct buf text = BUF_INIT(CHECKPOINT_MAX);
    struct scene scene;

    begin(&scene);
    compose(&text, HEAD, 0, PIECE_MOST * 2);
    put(&scene, "a", SINCE_1, 1, HEAD ",\"written\":[]}");
    put(&scene, "b", SINCE_1, 1, HEAD ",\"written\":[]}");
    put(&scene, "big", SINCE_1, 1, buf_text(&text));
    flush(&scene);
    check_listed(&scene, "nothing", "110");
    check_listed(&scene, SINCE_1 ".big.1", "100");
    check_listed(&scene, SINCE_1 ".a", "000");
    scene.answers = 0;
    scene.store.at = "https://one";
    scene.store.status = 503;
    check_listed(&scene, "nothing", "000");
    CHECK(!scene.answers, "a store that does not answer was asked");
    share_checkpoints_list(scene.checkpoints, on_listed, &scene);
    buf_free(&text);
    end(&scene); /* in flight at the end */
}

static void put_inputs(struct scene *scene, int count)
{
    char input[16];

    for (; count > 0; count--) {
        snprintf(input, sizeof(input), "in%d", count);
        put(scene, input, SINCE_1, 1, HEAD ",\"written\":[]}");
    }
}

static void test_batches(void **state UNUSED)
{
    struct scene scene;
    int i;

    begin(&scene);
    put_inputs(&scene, 1200);
    flush(&scene);
    CHECK(scene.store.saves == 3 && fake_kvstore_count(&scene.store, "place") == 1200, "%d batches", scene.store.saves);
    scene.store.at = "https://one";
    scene.store.method = "batch_save"; /* never answered, and not applied */
    put_inputs(&scene, 3);
    flush(&scene);
    flush(&scene);
    CHECK(share_checkpoints_trouble(scene.checkpoints) && share_checkpoints_waits(scene.checkpoints, "in3"), "it failed");
    CHECK(scene.store.calls == 5, "%d calls: a failure ends the flush", scene.store.calls);
    scene.store.at = NULL;
    share_checkpoints_flush(scene.checkpoints); /* one record, after two failures */
    put(&scene, "in3", SINCE_1, 1, HEAD ",\"written\":[" V("1") "]}"); /* while it is in flight */
    put(&scene, "in2", SINCE_1, 1, HEAD ",\"written\":[" V("1") "]}");
    put(&scene, "in1", SINCE_1, 1, HEAD ",\"written\":[" V("1") "]}");
    share_checkpoints_flush(scene.checkpoints);
    CHECK(scene.store.calls == 6, "a second batch while one is in flight");
    fake_kvstore_settle();
    for (i = 1; i <= 3; i++) {
        CLEANUP(mem_freep) char *key = mem_format("g.place." SINCE_1 ".in%d", i);

        CHECK_TEXT(fake_kvstore_text(&scene.store, key, "text"), HEAD ",\"written\":[" V("1") "]}");
    }
    CHECK(!share_checkpoints_waits(scene.checkpoints, NULL) && !share_checkpoints_trouble(scene.checkpoints), "waits");
    put_inputs(&scene, 4);
    share_checkpoints_flush(scene.checkpoints);
    share_checkpoints_forget(scene.checkpoints, "in2"); /* while it is in flight */
    fake_kvstore_settle();
    CHECK(!share_checkpoints_waits(scene.checkpoints, NULL), "waits");
    put_inputs(&scene, 4);
    share_checkpoints_flush(scene.checkpoints);
    end(&scene); /* in flight at the end */
}

/* A store that refuses records: the others get through, and the refused ones are not sent without end. */
static void test_refused(void **state UNUSED)
{
    struct scene scene;
    int i;

    begin(&scene);
    put_inputs(&scene, 40);
    scene.store.at = "https://one";
    scene.store.status = 400;
    scene.store.body = "{}";
    for (i = 0; i < 100 && share_checkpoints_waits(scene.checkpoints, NULL); i++)
        flush(&scene);
    CHECK(!share_checkpoints_waits(scene.checkpoints, NULL) && i < 60, "after %d flushes", i);
    CHECK(share_checkpoints_trouble(scene.checkpoints) != NULL, "nobody is told");
    scene.store.at = NULL;
    put_inputs(&scene, 40);
    flush(&scene);
    CHECK(fake_kvstore_count(&scene.store, "place") == 40, "%zu", fake_kvstore_count(&scene.store, "place"));
    end(&scene);
}

/* The sizes, as the documents of sharing have them: 100,000 written versions. */
static void test_large(void **state UNUSED)
{
    struct scene scene;
    size_t bytes;
    int64_t started_ms;
    int i;

    begin(&scene);
    put_many(&scene, "big", HEAD, 0, 100000);
    flush(&scene);
    bytes = scene.store.saved_bytes;
    CHECK(bytes > 6100000 && bytes < 6300000, "%zu bytes", bytes);
    CHECK(fake_kvstore_count(&scene.store, "piece") == 25, "%zu", fake_kvstore_count(&scene.store, "piece"));
    CHECK(scene.store.largest_batch <= 4000000 + 2, "a batch of %zu", scene.store.largest_batch);
    for (i = 1; i <= 3; i++) { /* a minute: 1,000 are new, 1,000 are pruned */
        scene.store.saved_bytes = 0;
        started_ms = clock_ms();
        put_many(&scene, "big", HEAD, i * 1000, 100000 + i * 1000);
        flush(&scene);
        CHECK(scene.store.saved_bytes < 700000, "%zu bytes in minute %d", scene.store.saved_bytes, i);
        CHECK(clock_ms() - started_ms < 5000, "%lld ms", (long long)(clock_ms() - started_ms));
    }
    printf("share: first %zu bytes, then %zu a minute\n", bytes, scene.store.saved_bytes);
    load(&scene, "big");
    CHECK(scene.fault == KVSTORE_OK && !scene.err.text[0], "%s", scene.err.text);
    CHECK(loaded_count(&scene) == 100000, "%d", loaded_count(&scene));
    CHECK(scene.store.finds == 4, "%d queries: places, then 10, 10 and 6 pieces", scene.store.finds);
    put_many(&scene, "big", HEAD, 0, 3000); /* small again */
    flush(&scene);
    load(&scene, "big");
    CHECK(loaded_count(&scene) == 3000, "%d", loaded_count(&scene));
    end(&scene);
}

/* Sets that grow, shrink and move, with calls that fail before and after they are applied: once a flush has got through,
 * the store has what was put last, whatever is left in it of before. */
static void test_any_order(void **state UNUSED)
{
    static const struct {
        int first, last;
        bool fails, applied; /* the flushes after it */
    } steps[] = {
        { 0, 3900, false, false },     { 0, 9000, true, false },      { 500, 9500, true, true },
        { 500, 9500, false, false },   { 4600, 13000, true, true },   { 4600, 9100, false, false },
        { 9000, 12100, false, false }, { 9000, 11900, true, false },  { 9000, 17500, true, true },
        { 9000, 17500, false, false }, { 13000, 21600, false, false }, { 0, 8000, true, true },
        { 13000, 21000, false, false }, { 20000, 20001, false, false }, { 20000, 29000, false, false },
    };
    struct scene scene;
    size_t i;

    begin(&scene);
    for (i = 0; i < COUNT_OF(steps); i++) {
        put_many(&scene, "big", HEAD, steps[i].first, steps[i].last);
        scene.store.at = steps[i].fails ? "https://one" : NULL;
        scene.store.skip = (int)(i % 3); /* some batches get through */
        scene.store.applied = steps[i].applied;
        flush(&scene);
        if (steps[i].fails)
            continue;
        flush(&scene);
        CHECK(!share_checkpoints_waits(scene.checkpoints, NULL), "step %zu waits", i);
        load(&scene, "big");
        CHECK(loaded_count(&scene) == steps[i].last - steps[i].first && !scene.err.text[0], "step %zu: %d, %s", i,
              loaded_count(&scene), scene.err.text);
    }
    end(&scene);
}

/* The tenant of an input is edited while it is read: its pieces are of the new one, or are not used. */
static void test_stamp(void **state UNUSED)
{
    const char piece[] = "g.place." SINCE_1 ".big.0";
    struct scene scene;
    char *old;

    begin(&scene);
    put_many(&scene, "big", HEAD, 0, 9000);
    flush(&scene);
    old = cJSON_PrintUnformatted(json_member(scene.store.records, piece));
    put_many(&scene, "big", OF("u", "graph"), 0, 9000);
    flush(&scene);
    CHECK(scene.store.saved_records == 8, "%zu records: all pieces again", scene.store.saved_records);
    load(&scene, "big");
    CHECK(loaded_count(&scene) == 9000 && !scene.err.text[0], "%d, %s", loaded_count(&scene), scene.err.text);
    cJSON_ReplaceItemInObjectCaseSensitive(scene.store.records, piece, json_parse(old, strlen(old)));
    load(&scene, "big");
    CHECK(loaded_count(&scene) == 5000 && strstr(scene.err.text, "no piece of this checkpoint"), "%d, %s",
          loaded_count(&scene), scene.err.text);
    mem_lib_free(old);
    end(&scene);
}

/* Loads. */

static void store_place(struct scene *scene, const char *since, double number, const char *text)
{
    CLEANUP(mem_freep) char *key = mem_format("g.place.%s.a", since);
    cJSON *record = cJSON_CreateObject();

    cJSON_AddStringToObject(record, "_key", key);
    cJSON_AddStringToObject(record, "group", "g");
    cJSON_AddStringToObject(record, "kind", "place");
    cJSON_AddStringToObject(record, "input", "a");
    cJSON_AddStringToObject(record, "id", since);
    cJSON_AddNumberToObject(record, "number", number);
    cJSON_AddStringToObject(record, "text", text);
    cJSON_AddItemToObject(scene->store.records, key, record);
}

/* Lists eleven pieces, which are two queries. */
#define ELEVEN HEAD ",\"pieces\":[0,1,2,3,4,5,6,7,8,9,10],\"written\":[]}"

/* promise: Sharing: The checkpoint of the newest reader wins, and what others have written stays known */
static void test_load(void **state UNUSED)
{
    struct scene scene;
    char since[SHARE_ID_MAX];
    int i;

    begin(&scene);
    load(&scene, "a");
    CHECK(scene.fault == KVSTORE_OK && !scene.text.len && !scene.err.text[0], "%s", scene.err.text);
    store_place(&scene, SINCE_2, 12, HEAD ",\"x\":2,\"written\":[" V("2") "]}");
    store_place(&scene, SINCE_1, 7, HEAD ",\"x\":1,\"written\":[" V("1") "]}");
    load(&scene, "a");
    CHECK_TEXT(buf_text(&scene.text), HEAD ",\"x\":2,\"written\":[" V("1") "," V("2") "]}");
    store_place(&scene, SINCE_3, 13, OF("u", "graph") ",\"written\":[" V("3") "]}");
    load(&scene, "a");
    CHECK_TEXT(buf_text(&scene.text), OF("u", "graph") ",\"written\":[" V("3") "]}");
    for (i = 0; i < 20; i++) /* only the newest of many are read */
        store_place(&scene, share_id((uint64_t)i, since), 20 + i, HEAD ",\"written\":[" V("4") "]}");
    load(&scene, "a");
    CHECK(loaded_count(&scene) == 1 && !scene.err.text[0], "%d", loaded_count(&scene));
    store_place(&scene, SINCE_2, 98, "{\"version\":1,\"tenant_id\":\"t\",\"api\":\"graph\",\"begin\":" T("00")
                                     ",\"newest\":" T("20") ",\"floor\":" T("05") ",\"x\":2,\"written\":[]}");
    store_place(&scene, SINCE_1, 98, HEAD ",\"x\":1,\"written\":[]}"); /* the store had lost one of two tables 98 */
    load(&scene, "a");
    CHECK(strstr(buf_text(&scene.text), "\"x\":2"), "of two with one number, that which has read farther: %s",
          buf_text(&scene.text));
    store_place(&scene, SINCE_3, 99, HEAD ",\"written\":[" V("5") "]}"); /* of before the store was emptied */
    load(&scene, "a");
    CHECK(strstr(buf_text(&scene.text), "\"x\":2") && strstr(buf_text(&scene.text), V("5")),
          "that which has read farther: %s", buf_text(&scene.text));
    scene.store.wants_plain = true;
    scene.store.finds = 0;
    load(&scene, "a");
    load(&scene, "a");
    CHECK(loaded_count(&scene) == 2 && scene.store.finds == 3, "%d in %d queries", loaded_count(&scene),
          scene.store.finds);
    end(&scene);
}

static const struct bad_row {
    const char *name, *member, *value; /* value as JSON; NULL: the member is not there */
    const char *says;
} bad[] = {
    { "no text", "text", NULL, "it has no text" },
    { "a number as its text", "text", "5", "it has no text" },
    { "no JSON", "text", "\"{\"", "'written'" },
    { "JSON, but no checkpoint", "text", "\"{\\\"written\\\":[]}\"", "tenant_id and api" },
    { "another version", "text", "\"{\\\"version\\\":9,\\\"tenant_id\\\":\\\"t\\\",\\\"api\\\":\\\"graph\\\",\\\"written\\\":[]}\"",
      "version 9" },
    { "no number", "number", NULL, "it has no number" },
    { "half a number", "number", "1.5", "it has no number" },
    { "a number below zero", "number", "-1", "it has no number" },
    { "a number beyond all", "number", "1e300", "it has no number" },
    { "no id", "id", NULL, "its key is not" },
    { "another id", "id", "\"" SINCE_2 "\"", "its key is not" },
    { "an odd id", "id", "\"../../../../etc/x\"", "its key is not" },
    { "a list as its id", "id", "[]", "its key is not" },
    { "another key", "_key", "\"g.place." SINCE_1 ".b\"", "its key is not" },
};

/* promise: Sharing: A record of the store that cannot be used is ignored with one sentence, and the others are used */
static void test_bad(void **state UNUSED)
{
    struct scene scene;
    size_t i, other;

    for (i = 0; i < COUNT_OF(bad); i++) {
        for (other = 0; other < 2; other++) {
            cJSON *record;

            begin(&scene);
            store_place(&scene, SINCE_1, 7, HEAD ",\"written\":[" V("1") "]}");
            record = scene.store.records->child;
            cJSON_DeleteItemFromObjectCaseSensitive(record, bad[i].member);
            if (bad[i].value)
                cJSON_AddItemToObject(record, bad[i].member, json_parse(bad[i].value, strlen(bad[i].value)));
            if (other)
                store_place(&scene, SINCE_3, 3, HEAD ",\"written\":[" V("2") "]}");
            load(&scene, "a");
            CHECK(scene.fault == KVSTORE_OK && loaded_count(&scene) == (other ? 1 : -1), "%s: %d", bad[i].name,
                  loaded_count(&scene));
            CHECK(strstr(scene.err.text, bad[i].says) && strstr(scene.err.text, "is ignored"), "%s: %s", bad[i].name,
                  scene.err.text);
            end(&scene);
        }
    }
    begin(&scene); /* lists of pieces */
    store_place(&scene, SINCE_1, 1, HEAD ",\"pieces\":[0,0,3],\"written\":[]}");
    load(&scene, "a");
    CHECK(loaded_count(&scene) == 0 && strstr(scene.err.text, "missing"), "%s", scene.err.text);
    end(&scene);
}

/* What the store answers in place of rows. */
static void test_load_faults(void **state UNUSED)
{
    static const struct {
        int status;
        const char *body;
        enum kvstore_fault fault;
    } rows[] = {
        { 0, "", KVSTORE_AWAY },      { 503, "{}", KVSTORE_OFF },     { 401, "{}", KVSTORE_SESSION },
        { 403, "{}", KVSTORE_RIGHTS }, { 200, "{}", KVSTORE_GARBAGE }, { 200, "[]", KVSTORE_GARBAGE },
        { 200, "[{}]", KVSTORE_GARBAGE }, { 200, "[[],[]]", KVSTORE_GARBAGE }, { 400, "{}", KVSTORE_REFUSED },
    };
    struct scene scene;
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        begin(&scene);
        scene.store.at = "https://one";
        scene.store.status = rows[i].status;
        scene.store.body = rows[i].body;
        load(&scene, "a");
        CHECK(scene.fault == rows[i].fault && scene.err.text[0] && !scene.text.len, "row %zu: fault %d", i,
              (int)scene.fault);
        end(&scene);
    }
    begin(&scene);
    store_place(&scene, SINCE_1, 1, ELEVEN);
    scene.store.at = "https://one";
    scene.store.skip = 2; /* the second call for pieces */
    load(&scene, "a");
    CHECK(scene.fault == KVSTORE_AWAY && !scene.text.len, "fault %d", (int)scene.fault);
    end(&scene);
}

/* Answers that are too large are asked for in smaller parts. */
static void test_too_large(void **state UNUSED)
{
    struct scene scene;
    char input[16];
    int i;

    begin(&scene);
    for (i = 0; i < 250; i++) {
        snprintf(input, sizeof(input), "in%d", i);
        put_many(&scene, input, HEAD, 0, 20);
    }
    flush(&scene);
    for (i = 0; i < 250; i++) {
        snprintf(input, sizeof(input), "in%d", i);
        share_checkpoints_load(scene.checkpoints, input, on_loaded, &scene);
    }
    fake_kvstore_settle();
    CHECK(scene.answers == 250 && scene.store.finds == 3, "%d answers in %d calls", scene.answers, scene.store.finds);
    scene.answers = 0;
    scene.store.answer_most = 60000;
    for (i = 0; i < 250; i++) {
        snprintf(input, sizeof(input), "in%d", i);
        share_checkpoints_load(scene.checkpoints, input, on_loaded, &scene);
    }
    fake_kvstore_settle();
    CHECK(scene.answers == 250 && scene.fault == KVSTORE_OK && loaded_count(&scene) == 20, "%d answers", scene.answers);
    for (i = 0; i < 8; i++) {
        char since[SHARE_ID_MAX];

        share_id((uint64_t)i + 1, since);
        share_checkpoints_put(scene.checkpoints, "many", since, i, HEAD ",\"written\":[" V("1") "]}",
                              strlen(HEAD ",\"written\":[" V("1") "]}"));
        flush(&scene);
    }
    scene.store.answer_most = 1000;
    load(&scene, "many");
    CHECK(scene.fault == KVSTORE_OK && loaded_count(&scene) == 1, "fault %d", (int)scene.fault);
    scene.store.answer_most = 100;
    load(&scene, "many");
    CHECK(scene.fault == KVSTORE_GARBAGE, "fault %d", (int)scene.fault);
    end(&scene);
}

/* An owner that asks for another input when it is told. */
static void on_loaded_more(void *ctx, enum kvstore_fault fault, const struct err *err, const struct buf *text)
{
    struct scene *scene = ctx;

    on_loaded(ctx, fault, err, text);
    if (scene->answers < 5)
        share_checkpoints_load(scene->checkpoints, "a", on_loaded_more, scene);
    share_checkpoints_load_stop(scene->checkpoints, "b");
}

static void test_stop(void **state UNUSED)
{
    struct scene scene;

    begin(&scene);
    share_checkpoints_load(scene.checkpoints, "a", on_loaded, &scene);
    share_checkpoints_load_stop(scene.checkpoints, "a"); /* before it was asked for */
    fake_kvstore_settle();
    share_checkpoints_load(scene.checkpoints, "never", on_loaded, &scene);
    share_checkpoints_load_stop(scene.checkpoints, "other");
    store_place(&scene, SINCE_1, 1, ELEVEN);
    fake_kvstore_settle();
    CHECK(scene.answers == 1, "%d answers", scene.answers);
    share_checkpoints_load(scene.checkpoints, "a", on_loaded, &scene);
    share_checkpoints_flush(scene.checkpoints);
    end(&scene);

    begin(&scene);
    store_place(&scene, SINCE_1, 1, ELEVEN);
    share_checkpoints_load(scene.checkpoints, "a", on_loaded_more, &scene);
    share_checkpoints_load(scene.checkpoints, "b", on_loaded, &scene);
    fake_kvstore_settle();
    CHECK(scene.answers == 5, "%d answers: 'b' was stopped", scene.answers);
    scene.store.at = "https://one"; /* the first failure stops 'b', which fails as well */
    scene.answers = 3;
    share_checkpoints_load(scene.checkpoints, "a", on_loaded_more, &scene);
    share_checkpoints_load(scene.checkpoints, "b", on_loaded, &scene);
    fake_kvstore_settle();
    CHECK(scene.answers == 5 && scene.fault == KVSTORE_AWAY, "%d answers", scene.answers);
    end(&scene);
}

/* Stops a load at each of its calls, and ends everything at each of them. */
static void test_stop_anywhere(void **state UNUSED)
{
    struct scene scene;
    int calls, i, ends;

    for (ends = 0; ends < 2; ends++) {
        for (calls = 0; calls < 5; calls++) {
            begin(&scene);
            store_place(&scene, SINCE_1, 1, ELEVEN);
            share_checkpoints_load(scene.checkpoints, "a", on_loaded, &scene);
            share_checkpoints_load(scene.checkpoints, "c", on_loaded, &scene);
            fake_kvstore_fire();
            for (i = 0; i < calls; i++)
                fake_kvstore_answer();
            if (!ends) {
                share_checkpoints_load_stop(scene.checkpoints, "a");
                fake_kvstore_settle();
                CHECK(scene.answers == (calls < 3 ? 1 : 2), "%d calls: %d answers", calls, scene.answers);
            } else {
                CHECK(true, "it ends");
            }
            end(&scene);
        }
    }
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_strip),   cmocka_unit_test(test_merge),       cmocka_unit_test(test_pieces),
    cmocka_unit_test(test_pieces_odd), cmocka_unit_test(test_save),     cmocka_unit_test(test_listed),
    cmocka_unit_test(test_batches),
    cmocka_unit_test(test_refused), cmocka_unit_test(test_large),       cmocka_unit_test(test_stamp),
    cmocka_unit_test(test_any_order),
    cmocka_unit_test(test_load),    cmocka_unit_test(test_bad),         cmocka_unit_test(test_load_faults),
    cmocka_unit_test(test_too_large), cmocka_unit_test(test_stop),      cmocka_unit_test(test_stop_anywhere),
};

UNIT(share_checkpoints, cases, NULL, NULL)
