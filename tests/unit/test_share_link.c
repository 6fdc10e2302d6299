/* The connection to the shared KV store, and its self-test, over a store in memory. */
#include "share/link.h"

#include "base/base64url.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "fake_kvstore.h"
#include "share/self_test.h"

#define ONE   "https://one:8089"
#define TWO   "https://two:8089"
#define URLS  " " ONE "/, " TWO " "
#define TOKEN "aaa.bbb.ccc"

/* A link and how its last call ended. */
struct scene {
    struct fake_kvstore store;
    struct loop *loop;
    struct share_link *link;
    int answers;
    enum kvstore_fault fault;
    struct err err;
    char key[64]; /* of the record or the first row */
};

static void on_answer(void *ctx, const struct kvstore_answer *answer)
{
    struct scene *scene = ctx;
    const char *key = json_text(answer->record ? answer->record : cJSON_GetArrayItem(answer->rows, 0), "_key");

    scene->answers++;
    scene->fault = answer->fault;
    scene->err = *answer->err;
    snprintf(scene->key, sizeof(scene->key), "%s", key ? key : "");
}

static void begin(struct scene *scene, const char *urls, const char *token)
{
    *scene = (struct scene){ .loop = loop_new() };
    fake_kvstore_begin(&scene->store);
    scene->link = share_link_new(&(struct share_link_spec){ .loop = scene->loop, .urls = urls, .token = token });
}

static void end(struct scene *scene)
{
    share_link_free(scene->link);
    fake_kvstore_end(&scene->store);
    loop_free(scene->loop);
}

static void call(struct scene *scene, const struct share_call *what)
{
    share_link_call(scene->link, what, on_answer, scene);
    fake_kvstore_settle();
}

static const struct share_call get = { .kind = SHARE_CALL_GET, .collection = SHARE_COLLECTION, .key = "g.a%2F" };
static const struct share_call save = { .kind = SHARE_CALL_SAVE,
                                        .collection = PLACES_COLLECTION,
                                        .body = "[{\"_key\":\"g.a%2F\"}]" };

static void test_calls(void **state UNUSED)
{
    static const struct share_call rest[] = {
        { .kind = SHARE_CALL_INSERT, .collection = SHARE_COLLECTION, .body = "{\"_key\":\"b\"}" },
        { .kind = SHARE_CALL_FIND, .collection = SHARE_COLLECTION, .query = "{\"_key\":\"b\"}", .limit = 3 },
        { .kind = SHARE_CALL_DELETE, .collection = SHARE_COLLECTION, .query = "{\"_key\":\"b\"}" },
    };
    static const char *const keys[] = { "", "b", "" };
    struct scene scene;
    size_t i;

    begin(&scene, URLS, TOKEN);
    CHECK(share_link_count(scene.link) == 2, "%zu", share_link_count(scene.link));
    CHECK_TEXT(share_link_url(scene.link, 1), TWO);
    call(&scene, &save);
    CHECK(scene.answers == 1 && scene.fault == KVSTORE_OK, "%s", scene.err.text);
    CHECK_TEXT(scene.store.last_url, ONE "/servicesNS/nobody/TA-defender-mssp/storage/collections/data/"
                                         "defender_alerts_places/batch_save?output_mode=json");
    CHECK_TEXT(scene.store.last_authorization, "Bearer " TOKEN);
    call(&scene, &get);
    CHECK_TEXT(scene.key, "g.a%2F");
    CHECK(!strstr(scene.store.last_url, "_share/"), "the key is in the path: %s", scene.store.last_url);
    for (i = 0; i < COUNT_OF(rest); i++) {
        call(&scene, &rest[i]);
        CHECK(scene.fault == KVSTORE_OK, "call %zu: %s", i, scene.err.text);
        if (*keys[i])
            CHECK_TEXT(scene.key, keys[i]);
    }
    CHECK(!json_member(scene.store.records, "b"), "it was not deleted");
    call(&scene, &(struct share_call){ .kind = SHARE_CALL_GET, .collection = SHARE_COLLECTION, .key = "b" });
    CHECK(scene.fault == KVSTORE_MISSING, "%s", scene.err.text);
    CHECK(share_link_present(scene.link) == 0, "a record that is not there is no fault of the address");
    end(&scene);
}

#define SAYS(text) "{\"messages\":[{\"type\":\"ERROR\",\"text\":\"" text "\"}]}"
#define ACT        ". Our administrator: "

/* What an address answers, and what follows from it. */
static const struct fault_row {
    const char *name;
    int status;
    const char *body;
    enum kvstore_fault fault;
    size_t present; /* afterwards */
    const char *says[3];
} faults[] = {
    { "nothing", 0, "", KVSTORE_AWAY, 1, { ONE } },
    { "it starts", 503, SAYS("KV Store is initializing. Please try again later."), KVSTORE_OFF, 1,
      { "off or still starting", ONE, "KV Store is initializing" } },
    { "the token has ended", 401, SAYS("call not properly authenticated"), KVSTORE_SESSION, 1,
      { ONE, "authentication token (HTTP 401)", ACT "create a token on that instance" } },
    { "no rights", 403, SAYS("You do not have permission"), KVSTORE_RIGHTS, 1,
      { ONE, "(HTTP 403)", ACT "give the token's user the role defender_mssp_share there, or its role read and write access to the" } },
    { "no app", 404, SAYS("Application does not exist: TA-defender-mssp"), KVSTORE_NO_COLLECTION, 1,
      { ONE, "(HTTP 404)", ACT "install this version of TA-defender-mssp there" } },
    { "read-only, by 503", 503, SAYS("KV Store is in read-only mode"), KVSTORE_READ_ONLY, 1,
      { "read-only mode: nothing is written until its administrator ends that", ONE, NULL } },
    { "read-only, by 500", 500, SAYS("Operation refused: readOnly is enabled"), KVSTORE_READ_ONLY, 1,
      { "read-only mode" } },
    { "a web page", 200, "<html>", KVSTORE_GARBAGE, 1, { "cannot be read", ONE } },
    { "a web page with an error", 502, "<html>", KVSTORE_AWAY, 1, { ONE } },
    { "a key that is taken", 409, SAYS("A document with the same key and user already exists."), KVSTORE_TAKEN, 0,
      { "a record with this key exists" } },
    { "a bad request", 400, SAYS("JSON in the request is invalid."), KVSTORE_REFUSED, 0, { "refuses the request", ONE } },
    { "too large", 413, "", KVSTORE_REFUSED, 0, { "refuses the request" } },
};

/* promise: Sharing: Each fault of the shared store has a sentence that says at which address, and who has to act there */
static void test_faults(void **state UNUSED)
{
    size_t i, k;

    for (i = 0; i < COUNT_OF(faults); i++) {
        const struct fault_row *row = &faults[i];
        struct scene scene;

        begin(&scene, URLS, TOKEN);
        scene.store.at = ONE;
        scene.store.status = row->status;
        scene.store.body = row->body;
        call(&scene, &save);
        CHECK(scene.fault == row->fault, "%s: fault %d, %s", row->name, (int)scene.fault, scene.err.text);
        for (k = 0; k < COUNT_OF(row->says) && row->says[k]; k++)
            CHECK(strstr(scene.err.text, row->says[k]), "%s: %s", row->name, scene.err.text);
        CHECK(share_link_present(scene.link) == row->present, "%s: %zu", row->name, share_link_present(scene.link));
        call(&scene, &save);
        CHECK((scene.fault == KVSTORE_OK) == (row->present == 1), "%s: %s", row->name, scene.err.text);
        end(&scene);
    }
}

/* Two calls fail at the same address: the next one is used, and not the one after it. */
static void test_turn(void **state UNUSED)
{
    struct scene scene;

    begin(&scene, ONE "," TWO ", https://three", TOKEN);
    scene.store.at = ONE;
    share_link_call(scene.link, &get, on_answer, &scene);
    share_link_call(scene.link, &get, on_answer, &scene);
    fake_kvstore_settle();
    CHECK(scene.answers == 2 && share_link_present(scene.link) == 1, "%zu", share_link_present(scene.link));
    scene.store.at = TWO;
    call(&scene, &get);
    scene.store.at = "https://three";
    call(&scene, &get);
    CHECK(share_link_present(scene.link) == 0, "after the last one comes the first: %zu", share_link_present(scene.link));
    end(&scene);
}

static void test_no_token(void **state UNUSED)
{
    static const char *const bad[] = { NULL, "", "a b", "a\nb", "a\"b", "\xc3\xa4" };
    struct buf records = BUF_INIT(100);
    struct scene scene;
    size_t i;

    for (i = 0; i < COUNT_OF(bad); i++) {
        begin(&scene, URLS, bad[i]);
        CHECK(!share_link_has_token(scene.link), "'%s'", bad[i] ? bad[i] : "");
        call(&scene, &get);
        CHECK(scene.fault == KVSTORE_SESSION && strstr(scene.err.text, "share token"), "%s", scene.err.text);
        CHECK(!scene.store.calls && share_link_present(scene.link) == 0, "it was sent");
        end(&scene);
    }
    begin(&scene, URLS, NULL);
    buf_add_text(&records, "[]");
    share_link_save(scene.link, PLACES_COLLECTION, &records, on_answer, &scene);
    share_link_find_each(scene.link, PLACES_COLLECTION, "[]", on_answer, &scene);
    share_link_call(scene.link, &get, on_answer, &scene);
    share_link_set_token(scene.link, TOKEN);
    CHECK(!scene.answers, "it was answered from inside of the call");
    fake_kvstore_settle();
    CHECK(scene.answers == 3 && !records.data, "%d answers", scene.answers);
    call(&scene, &save);
    CHECK(scene.fault == KVSTORE_OK, "%s", scene.err.text);
    end(&scene);
    begin(&scene, " ,", TOKEN);
    call(&scene, &get);
    CHECK(scene.fault == KVSTORE_AWAY, "%s", scene.err.text);
    end(&scene);
}

static void test_forget(void **state UNUSED)
{
    struct scene scene;
    int other;

    begin(&scene, URLS, TOKEN);
    share_link_call(scene.link, &get, on_answer, &scene);
    share_link_forget(scene.link, &other);
    fake_kvstore_settle();
    CHECK(scene.answers == 1, "another one's call was dropped");
    share_link_call(scene.link, &get, on_answer, &scene);
    share_link_forget(scene.link, &scene);
    fake_kvstore_settle();
    share_link_call(scene.link, &get, on_answer, &scene); /* in flight at the end */
    CHECK(scene.answers == 1, "answered after the end of its owner");
    end(&scene);
}

static void test_token_end(void **state UNUSED)
{
    static const struct {
        const char *claims;
        int64_t want;
    } rows[] = {
        { "{\"exp\":1790000000,\"sub\":\"x\"}", 1790000000 },
        { "{\"sub\":\"x\"}", 0 },
        { "{\"exp\":\"soon\"}", 0 },
        { "{\"exp\":-5}", 0 },
        { "{\"exp\":1e300}", 0 },
        { "[]", 0 },
        { "not JSON", 0 },
    };
    static const char *const odd[] = { "", "abc", "a.b", "a..c", "a.!!!.c", "..." };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++) {
        struct buf token = BUF_INIT(1000);

        buf_add_text(&token, "eyJ.");
        base64url_add(&token, rows[i].claims, strlen(rows[i].claims));
        buf_add_text(&token, ".sig");
        CHECK(share_token_ends_s(buf_text(&token)) == rows[i].want, "%s", rows[i].claims);
        buf_free(&token);
    }
    for (i = 0; i < COUNT_OF(odd); i++)
        CHECK(share_token_ends_s(odd[i]) == 0, "%s", odd[i]);
}

/* The self-test. */

struct outcome {
    int ends;
    bool ok, unfit;
    char step[64];
    struct err err;
    int64_t seen_ms;
};

static void on_tested(void *ctx, const struct share_self_test_result *result)
{
    struct outcome *outcome = ctx;

    outcome->ends++;
    outcome->ok = result->ok;
    outcome->unfit = result->unfit;
    snprintf(outcome->step, sizeof(outcome->step), "%s", result->step);
    outcome->err = *result->err;
    outcome->seen_ms = result->seen_ms;
}

static const struct test_row {
    const char *name;
    struct fake_kvstore store;
    bool ok, unfit;
    const char *step, *says;
} tests[] = {
    { "a store as it should be", { .lags = 0 }, true, false, "", "" },
    { "one that lags", { .lags = 7 }, true, false, "", "" },
    { "an insert that the transport sent twice", { .doubles = 1 }, true, false, "", "" },
    { "inserts that replace", { .overwrites = true }, false, true, "the same insert again", "is not refused" },
    { "writes that are lost", { .forgets = true, .overwrites = true }, false, true, "the same insert again",
      "is not refused" },
    { "reads that never see it", { .lags = 1000 }, false, true, "reading the own write", "is not read back" },
    { "batches that replace nothing", { .adds_only = true }, false, true, "reading what replaced it",
      "does not replace" },
    { "queries that find nothing", { .finds_nothing = true }, false, true, "a query", "does not find" },
    { "deletions that delete nothing", { .keeps = true }, false, true, "reading what was deleted", "still there" },
    { "no rights", { .at = ONE, .status = 403, .body = SAYS("no") }, false, false, "an insert",
      "self-test of the shared KV store, an insert: the user of the authentication token may not" },
    { "no app there", { .at = ONE, .status = 404, .body = SAYS("no") }, false, false, "an insert", "install" },
    { "no answer to the batch", { .at = ONE, .method = "batch_save", .applied = true }, false, false,
      "a batch that replaces", ONE },
    { "deletions are refused", { .at = ONE, .method = "delete", .status = 403, .body = SAYS("no") }, false, false,
      "a deletion", "HTTP 403" },
    { "read-only", { .at = ONE, .method = "insert", .status = 503, .body = SAYS("read-only mode") }, false, false,
      "an insert", "read-only mode" },
};

static void check_test(const struct test_row *row)
{
    struct outcome outcome = { .ends = 0 };
    struct share_self_test *test;
    struct scene scene;
    cJSON *records;

    begin(&scene, ONE, TOKEN);
    records = scene.store.records;
    scene.store = row->store;
    scene.store.records = records;
    test = share_self_test_new(scene.loop, scene.link, "gr", 1, on_tested, &outcome);
    CHECK(!outcome.ends, "%s: it ended from inside of the call", row->name);
    fake_kvstore_settle();
    CHECK(outcome.ends == 1, "%s: %d ends", row->name, outcome.ends);
    CHECK(outcome.ok == row->ok && outcome.unfit == row->unfit, "%s: %s", row->name, outcome.err.text);
    CHECK_TEXT(outcome.step, row->step);
    CHECK(strstr(outcome.err.text, row->says), "%s: %s", row->name, outcome.err.text);
    CHECK((outcome.seen_ms >= 0) == (row->ok || scene.store.saves > 0), "%s", row->name);
    CHECK(scene.store.keeps || scene.store.at || !fake_kvstore_count(&scene.store, "test"), "%s: a record is left",
          row->name);
    share_self_test_free(test);
    end(&scene);
}

/* promise: Sharing: A KV store that does not do what sharing relies on is refused before anything is shared */
static void test_self_test(void **state UNUSED)
{
    struct outcome outcome = { .ends = 0 };
    struct scene scene;
    size_t i;

    for (i = 0; i < COUNT_OF(tests); i++)
        check_test(&tests[i]);
    begin(&scene, ONE, TOKEN);
    share_self_test_free(share_self_test_new(scene.loop, scene.link, "gr", 1, on_tested, &outcome));
    fake_kvstore_settle();
    CHECK(!outcome.ends, "it ended after it was freed");
    end(&scene);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_calls),     cmocka_unit_test(test_faults),    cmocka_unit_test(test_turn),
    cmocka_unit_test(test_no_token),  cmocka_unit_test(test_forget),    cmocka_unit_test(test_token_end),
    cmocka_unit_test(test_self_test),
};

UNIT(share_link, cases, NULL, NULL)
