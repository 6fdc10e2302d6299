#include "share/self_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

enum {
    LOOK_AGAIN_MS = 100,
    LOOKS_MOST = 50, /* an own write that is not read back in five seconds: no round would ever be good */
    KEY_MAX = 512
};

/* In this order. */
enum step { INSERT, INSERT_AGAIN, READ_BACK, REPLACE, READ_REPLACED, FIND, DELETE, READ_DELETED, STEPS };

static const char *const words[STEPS] = {
    [INSERT] = "an insert",
    [INSERT_AGAIN] = "the same insert again",
    [READ_BACK] = "reading the own write",
    [REPLACE] = "a batch that replaces",
    [READ_REPLACED] = "reading what replaced it",
    [FIND] = "a query",
    [DELETE] = "a deletion",
    [READ_DELETED] = "reading what was deleted",
};

struct share_self_test {
    struct loop *loop;
    struct share_link *link;
    char *group, *key;
    char id[SHARE_ID_MAX];
    share_self_test_fn *done;
    void *ctx;

    enum step step;
    struct timer timer;
    int looks;        /* for what the last write did */
    int64_t since_ms; /* when that was answered */
    int64_t seen_ms;
    struct buf text; /* of the call in flight */
    struct share_call call;
    bool unfit;
    struct err err;
};

/* Calls. */

static const char *record(struct share_self_test *test, int number)
{
    struct buf *to = &test->text;

    buf_clear(to);
    buf_add_text(to, "{\"_key\":");
    buf_add_json(to, test->key);
    buf_add_text(to, ",\"group\":");
    buf_add_json(to, test->group);
    buf_add_format(to, ",\"kind\":\"test\",\"number\":%d,\"id\":\"%s\",\"text\":\"\"}", number, test->id);
    return buf_text(to);
}

static const char *batch(struct share_self_test *test)
{
    CLEANUP(mem_freep) char *one = mem_text(record(test, 2));

    buf_clear(&test->text);
    buf_add_format(&test->text, "[%s]", one);
    return buf_text(&test->text);
}

static const char *query(struct share_self_test *test)
{
    struct buf *to = &test->text;

    buf_clear(to);
    buf_add_text(to, "{\"group\":");
    buf_add_json(to, test->group);
    buf_add_format(to, ",\"kind\":\"test\",\"id\":\"%s\"}", test->id);
    return buf_text(to);
}

static void on_answer(void *ctx, const struct kvstore_answer *answer);

static void send_step(struct share_self_test *test)
{
    struct share_call *call = &test->call;

    *call = (struct share_call){ .collection = SHARE_COLLECTION };
    switch (test->step) {
    case INSERT:
    case INSERT_AGAIN:
        call->kind = SHARE_CALL_INSERT;
        call->body = record(test, 1);
        break;
    case REPLACE:
        call->kind = SHARE_CALL_SAVE;
        call->body = batch(test);
        break;
    case FIND:
        call->kind = SHARE_CALL_FIND;
        call->query = query(test);
        call->limit = 10;
        break;
    case DELETE:
        call->kind = SHARE_CALL_DELETE;
        call->query = query(test);
        break;
    default: call->kind = SHARE_CALL_GET; call->key = test->key;
    }
    share_link_call(test->link, call, on_answer, test);
}

/* The end. */

static void finish(struct share_self_test *test, bool ok)
{
    struct share_self_test_result result = { .ok = ok,
                                             .unfit = test->unfit,
                                             .step = ok ? "" : words[test->step],
                                             .err = &test->err,
                                             .seen_ms = test->seen_ms };

    test->done(test->ctx, &result);
}

static void on_cleaned(void *ctx, const struct kvstore_answer *answer UNUSED)
{
    finish(ctx, false);
}

/* Removes what the test may have written, then ends. */
static void end_failed(struct share_self_test *test)
{
    test->call = (struct share_call){ .kind = SHARE_CALL_DELETE, .collection = SHARE_COLLECTION, .query = query(test) };
    share_link_call(test->link, &test->call, on_cleaned, test);
}

static void fail(struct share_self_test *test, const struct err *err)
{
    test->err = *err;
    err_prefix(&test->err, "self-test of the shared KV store, %s", words[test->step]);
    if (err->advice)
        err_blame(&test->err, err);
    if (test->step == INSERT && err->kind != ERR_RETRY) /* nothing was written */
        finish(test, false);
    else
        end_failed(test);
}

/* The store answered, but not as sharing relies on. */
static void fail_unfit(struct share_self_test *test, const char *what)
{
    test->unfit = true;
    err_set(&test->err, ERR_FATAL,
            "the KV store at %s does not do what sharing relies on: %s. Our administrator: use the KV store of another "
            "Splunk instance, or remove share_url",
            share_link_url(test->link, share_link_present(test->link)), what);
    end_failed(test);
}

/* Steps. */

static void next_step(struct share_self_test *test)
{
    if (test->step == READ_BACK)
        test->seen_ms = clock_ms() - test->since_ms;
    test->step++;
    test->looks = 0;
    test->since_ms = clock_ms();
    if (test->step == STEPS)
        finish(test, true);
    else
        send_step(test);
}

static void look_again_fired(void *ctx, int64_t now_ms UNUSED)
{
    send_step(ctx);
}

/* Looks again soon, as a member of a search head cluster may lag, but not without end. */
static void look_again(struct share_self_test *test, const char *what)
{
    if (++test->looks >= LOOKS_MOST)
        fail_unfit(test, what);
    else
        timer_set(test->loop, &test->timer, clock_ms() + LOOK_AGAIN_MS);
}

static bool shows(const struct share_self_test *test, const cJSON *row, int number)
{
    int64_t seen;

    return text_same(json_text(row, "_key"), test->key) && text_same(json_text(row, "id"), test->id) &&
           json_int64(row, "number", number, number, &seen);
}

/* Returns true if the read shows what the write before it did. */
static bool is_seen(const struct share_self_test *test, const struct kvstore_answer *answer)
{
    bool gone = answer->fault == KVSTORE_MISSING;

    if (test->step == READ_DELETED)
        return gone;
    return !gone && shows(test, answer->record, test->step == READ_BACK ? 1 : 2);
}

static void judge_read(struct share_self_test *test, const struct kvstore_answer *answer)
{
    if (is_seen(test, answer))
        next_step(test);
    else if (test->step == READ_BACK)
        look_again(test, "a record that was written is not read back");
    else if (test->step == READ_REPLACED)
        look_again(test, "a saved batch does not replace a record");
    else
        look_again(test, "a deleted record is still there");
}

static void judge_find(struct share_self_test *test, const struct kvstore_answer *answer)
{
    if (cJSON_GetArraySize(answer->rows) == 1 && shows(test, cJSON_GetArrayItem(answer->rows, 0), 2))
        next_step(test);
    else
        fail_unfit(test, "a query does not find the one record that it describes");
}

static void judge(struct share_self_test *test, const struct kvstore_answer *answer)
{
    switch (test->step) {
    case INSERT_AGAIN:
        if (answer->fault == KVSTORE_TAKEN)
            next_step(test);
        else
            fail_unfit(test, "an insert with a key that is taken is not refused");
        break;
    case READ_BACK:
    case READ_REPLACED:
    case READ_DELETED: judge_read(test, answer); break;
    case FIND: judge_find(test, answer); break;
    default: next_step(test);
    }
}

/* Returns true if the fault is an answer that the step can have. A first insert is taken if it was sent twice, over a
 * connection that broke. */
static bool belongs(enum step step, enum kvstore_fault fault)
{
    return fault == KVSTORE_OK || (fault == KVSTORE_TAKEN && (step == INSERT || step == INSERT_AGAIN)) ||
           fault == KVSTORE_MISSING;
}

static void on_answer(void *ctx, const struct kvstore_answer *answer)
{
    struct share_self_test *test = ctx;

    if (belongs(test->step, answer->fault))
        judge(test, answer);
    else
        fail(test, answer->err);
}

/* From beginning to end. */

struct share_self_test *share_self_test_new(struct loop *loop, struct share_link *link, const char *group,
                                            uint64_t random, share_self_test_fn *done, void *ctx)
{
    struct share_self_test *test = mem_alloc(sizeof(*test));

    test->loop = loop;
    test->link = link;
    test->group = mem_text(group);
    share_id(random, test->id);
    test->key = share_key(group, "test", test->id);
    test->done = done;
    test->ctx = ctx;
    test->seen_ms = -1;
    test->text = BUF_INIT(KEY_MAX * 8);
    test->timer = (struct timer){ .fire = look_again_fired, .ctx = test };
    send_step(test);
    return test;
}

void share_self_test_free(struct share_self_test *test)
{
    if (!test)
        return;
    share_link_forget(test->link, test);
    timer_cancel(test->loop, &test->timer);
    buf_free(&test->text);
    free(test->group);
    free(test->key);
    free(test);
}
