/* The worker's state machine against a port that only records what it is asked: rows of (state, event) and what must
 * come of it. Times are milliseconds; NOW is a moment that no row would reach by accident. */
#include "collect/worker.h"

#include "auth/token_source_private.h"
#include "check.h"
#include "collect/worker_retry.h"
#include "scene.h"

#define NOW      INT64_C(10000000)
#define INTERVAL INT64_C(60000)         /* of scene.h */

enum call { STEP, GRANTED, ENDED };

/* What the fake port says. */
struct says {
    enum token_state token;
    int64_t token_retry_ms;
    int64_t rate_ms;        /* to wait; 0: allowed */
    bool    slot_at_once;
};

struct row {
    const char *name;
    enum worker_state before;
    enum call event;
    struct says says;
    const char *calls;              /* of the port and the feed's owner, in order; '@' is a time less NOW */
    enum worker_state after;
    enum worker_kind kind;
    bool    closed, backfilling, elsewhere;
    int64_t due_ms;                 /* before, less NOW */
    bool fresh_token;               /* the request before was refused */
    struct next next;               /* of ENDED */
};

static struct fake {
    struct worker worker;
    struct scene  scene;
    struct says   says;
    struct rate   rate;
    struct token_source source;
    struct buf    calls;
} fake;

static void note(const char *call)
{
    buf_add_format(&fake.calls, "%s%s", fake.calls.len ? " " : "", call);
}

/* The port. */

static enum token_state fake_token(struct worker *worker UNUSED, int64_t now_ms UNUSED, struct token_view *ret)
{
    *ret = (struct token_view){ .token = 77, .retry_ms = fake.says.token_retry_ms };
    note("token");
    return fake.says.token;
}

static void fake_renew(struct worker *worker UNUSED, int64_t now_ms UNUSED)
{
    note("renew");
}

static int64_t fake_rate(struct worker *worker UNUSED, int64_t now_ms UNUSED)
{
    note("rate");
    return fake.says.rate_ms;
}

static void fake_slot(struct worker *worker)
{
    note("slot");
    CHECK(worker->state == WORKER_SLOT, "a slot is asked for in state %d", worker->state);
    if (fake.says.slot_at_once)
        worker_granted(worker, NOW);
}

static void fake_send(struct worker *worker, const struct token_view *view)
{
    note("send");
    CHECK(view->token == 77 && worker->token == 77, "the token that the request carries is not remembered");
    CHECK(worker->state == WORKER_REQUEST, "a request is sent in state %d", worker->state);
}

static void fake_release(struct worker *worker UNUSED)
{
    note("release");
}

static void fake_wake(struct worker *worker UNUSED, int64_t due_ms)
{
    char call[64];

    snprintf(call, sizeof(call), "wake@%lld", (long long)(due_ms - NOW));
    note(call);
}

static const struct worker_port fake_port = { fake_renew, fake_token, fake_rate, fake_slot, fake_send, fake_release,
                                              fake_wake };

/* The feed's owner. */

static void owner_changed(void *ctx UNUSED)
{
    note("changed");
}

static void owner_wake_others(void *ctx UNUSED)
{
    note("wake-others");
}

static const struct feed_owner owner = { scene_writable, owner_changed, owner_wake_others, scene_may_read };

static int open_fake(void **state UNUSED)
{
    fake = (struct fake){ .calls = BUF_INIT(4096) };
    scene_open(&fake.scene, &api_graph);
    fake.scene.feed.owner = &owner;
    fake.scene.feed.rate = &fake.rate;
    fake.scene.feed.source = &fake.source;
    fake.source.token_number = 77;
    rate_start(&fake.rate, rate_limits_for(600, 0), 0);
    worker_init(&fake.worker, &fake.scene.feed, WORKER_LIVE);
    fake.worker.port = &fake_port;
    return 0;
}

static int close_fake(void **state UNUSED)
{
    scene_close(&fake.scene);
    token_release(&fake.source.token);
    buf_free(&fake.calls);
    return 0;
}

static void prepare(const struct row *row)
{
    open_fake(NULL);
    fake.worker.reading.kind = row->kind;
    fake.worker.state = row->before;
    fake.worker.due_ms = row->before == WORKER_IDLE || row->due_ms ? NOW + row->due_ms : 0;
    fake.worker.token = row->before == WORKER_REQUEST ? 77 : 0;
    fake.source.token.authorization = mem_text("secret");
    fake.scene.feed.open = !row->closed;
    fake.scene.elsewhere = row->elsewhere;
    fake.scene.feed.progress.cursor.backfill.active = row->backfilling;
    fake.worker.reading.attempts.fresh_token = row->fresh_token;
    fake.says = row->says;
}

static void play(const struct row *row)
{
    prepare(row);
    switch (row->event) {
    case STEP:
        worker_step(&fake.worker, NOW);
        break;
    case GRANTED:
        worker_granted(&fake.worker, NOW);
        break;
    case ENDED:
        worker_ended(&fake.worker, &row->next, NOW);
        break;
    }
    CHECK(strcmp(buf_text(&fake.calls), row->calls) == 0, "%s: '%s', not '%s'", row->name, buf_text(&fake.calls),
          row->calls);
    CHECK(fake.worker.state == row->after, "%s: state %d, not %d", row->name, fake.worker.state, row->after);
    close_fake(NULL);
}

static void play_all(const struct row *row, size_t count)
{
    for (; count--; row++)
        play(row);
}

/* From IDLE to a request. */

static const struct row step_rows[] = {
    { "a poll that is due, and everything is free", WORKER_IDLE, STEP, { .slot_at_once = true },
      "token rate slot token send", .after = WORKER_REQUEST },
    { "a poll that is long overdue", WORKER_IDLE, STEP, { .slot_at_once = true },
      "token rate slot token send", .after = WORKER_REQUEST, .due_ms = -1000000 },
    { "a poll that is not due yet", WORKER_IDLE, STEP, { .slot_at_once = true },
      "wake@1", .after = WORKER_IDLE, .due_ms = 1 },
    { "the input is not open", WORKER_IDLE, STEP, { .slot_at_once = true },
      "", .after = WORKER_IDLE, .closed = true },
    { "the input is not open, and nothing is due", WORKER_IDLE, STEP, { 0 },
      "", .after = WORKER_IDLE, .closed = true, .due_ms = 500 },
    { "another forwarder may read", WORKER_IDLE, STEP, { .slot_at_once = true },
      "", .after = WORKER_IDLE, .elsewhere = true },
    { "another forwarder may read by the time of the slot", WORKER_SLOT, GRANTED, { .slot_at_once = true },
      "release", .after = WORKER_IDLE, .elsewhere = true },
    { "no backfill is active", WORKER_IDLE, STEP, { .slot_at_once = true },
      "", .after = WORKER_IDLE, .kind = WORKER_BACKFILL },
    { "a backfill is active", WORKER_IDLE, STEP, { .slot_at_once = true },
      "token rate slot token send", .after = WORKER_REQUEST, .kind = WORKER_BACKFILL, .backfilling = true },
    { "a backfill of an input that is not open", WORKER_IDLE, STEP, { .slot_at_once = true },
      "", .after = WORKER_IDLE, .kind = WORKER_BACKFILL, .backfilling = true, .closed = true },
    { "a backfill that failed waits, too", WORKER_IDLE, STEP, { .slot_at_once = true },
      "wake@700", .after = WORKER_IDLE, .kind = WORKER_BACKFILL, .backfilling = true, .due_ms = 700 },
    { "a poll goes on beside a backfill", WORKER_IDLE, STEP, { .slot_at_once = true },
      "token rate slot token send", .after = WORKER_REQUEST, .backfilling = true },

    { "the token is being fetched", WORKER_IDLE, STEP, { .token = TOKEN_BUSY }, "token", .after = WORKER_TOKEN },
    { "the token is still being fetched", WORKER_TOKEN, STEP, { .token = TOKEN_BUSY },
      "token", .after = WORKER_TOKEN },
    { "there is no token", WORKER_IDLE, STEP, { .token = TOKEN_FAILED, .token_retry_ms = NOW + 5000 },
      "token wake@5000 changed", .after = WORKER_TOKEN },
    { "there is no token again", WORKER_TOKEN, STEP, { .token = TOKEN_FAILED, .token_retry_ms = NOW + 9000 },
      "token wake@9000 changed", .after = WORKER_TOKEN },
    { "the token has come", WORKER_TOKEN, STEP, { .slot_at_once = true },
      "token rate slot token send", .after = WORKER_REQUEST },

    { "the request was refused: the repetition has a fresh token", WORKER_IDLE, STEP, { .token = TOKEN_BUSY },
      "renew token", .after = WORKER_TOKEN, .fresh_token = true },
    { "the fresh token has come", WORKER_TOKEN, STEP, { .slot_at_once = true },
      "token rate slot token send", .after = WORKER_REQUEST, .fresh_token = true },
    { "the request was refused, and the repetition is not due", WORKER_IDLE, STEP, { 0 },
      "wake@900000", .after = WORKER_IDLE, .due_ms = 900000, .fresh_token = true },

    { "the rate is used up", WORKER_IDLE, STEP, { .rate_ms = 250 }, "token rate wake@250", .after = WORKER_RATE },
    { "the rate is still used up", WORKER_RATE, STEP, { .rate_ms = 50 }, "rate wake@50", .after = WORKER_RATE },
    { "the rate allows it now", WORKER_RATE, STEP, { .slot_at_once = true },
      "rate slot token send", .after = WORKER_REQUEST },

    { "no slot is free", WORKER_IDLE, STEP, { 0 }, "token rate slot", .after = WORKER_SLOT },
    { "no slot is free after a wait for the rate", WORKER_RATE, STEP, { 0 }, "rate slot", .after = WORKER_SLOT },
    { "a step while a slot is waited for", WORKER_SLOT, STEP, { 0 }, "", .after = WORKER_SLOT },
    { "a step while a request is in flight", WORKER_REQUEST, STEP, { .slot_at_once = true },
      "", .after = WORKER_REQUEST },
};

static void test_steps(void **state UNUSED)
{
    play_all(step_rows, COUNT_OF(step_rows));
}

/* What was not wanted any more, or was lost, while a slot was waited for. */
static const struct row grant_rows[] = {
    { "a slot is granted later", WORKER_SLOT, GRANTED, { 0 }, "token send", .after = WORKER_REQUEST },
    { "the token expired meanwhile and is being fetched: the slot is given back", WORKER_SLOT, GRANTED,
      { .token = TOKEN_BUSY }, "token release wake@0", .after = WORKER_TOKEN },
    { "the token was lost meanwhile: the slot is given back", WORKER_SLOT, GRANTED,
      { .token = TOKEN_FAILED, .token_retry_ms = NOW + 5000 }, "token release wake@0", .after = WORKER_TOKEN },
};

static void test_grants(void **state UNUSED)
{
    play_all(grant_rows, COUNT_OF(grant_rows));
}

/* After a response. Every ended request gives its slot back, and the worker steps on. */
static const struct row end_rows[] = {
    { "the next window at once", WORKER_REQUEST, ENDED, { 0 },
      "release changed token rate slot", .after = WORKER_SLOT, .next = { .kind = NEXT_NOW } },
    { "the next window, and the backfill has something to do", WORKER_REQUEST, ENDED, { 0 },
      "wake-others release changed token rate slot", .after = WORKER_SLOT,
      .next = { .kind = NEXT_NOW, .wake_others = true } },
    { "a failure that passes", WORKER_REQUEST, ENDED, { .slot_at_once = true },
      "release changed wake@1500", .after = WORKER_IDLE,
      .next = { .kind = NEXT_RETRY, .wait_ms = 1500, .tries = 1, .err.text = "HTTP 500" } },
    { "a failure that split the window", WORKER_REQUEST, ENDED, { 0 },
      "wake-others release changed wake@4000", .after = WORKER_IDLE,
      .next = { .kind = NEXT_RETRY, .wait_ms = 4000, .tries = 3, .wake_others = true, .err.text = "HTTP 500" } },
    { "throttled", WORKER_REQUEST, ENDED, { .slot_at_once = true },
      "release changed wake@60000", .after = WORKER_IDLE,
      .next = { .kind = NEXT_THROTTLED, .wait_ms = 60000, .err.text = "HTTP 429" } },
    { "refused", WORKER_REQUEST, ENDED, { .slot_at_once = true },
      "release changed wake@900000", .after = WORKER_IDLE,
      .next = { .kind = NEXT_REFUSED, .wait_ms = 900000, .tries = 1, .err.text = "HTTP 403" } },
    { "the same request with a new token", WORKER_REQUEST, ENDED, { .token = TOKEN_BUSY },
      "release changed token", .after = WORKER_TOKEN, .next = { .kind = NEXT_NEW_TOKEN } },
    { "a simpler query", WORKER_REQUEST, ENDED, { 0 },
      "release changed token rate slot", .after = WORKER_SLOT,
      .next = { .kind = NEXT_VARIANT, .err.text = "HTTP 400" } },
    { "the backfill is complete", WORKER_REQUEST, ENDED, { .slot_at_once = true },
      "release changed", .after = WORKER_IDLE, .kind = WORKER_BACKFILL,
      .next = { .kind = NEXT_POLL, .backfill_done = true } },
    { "the backfill has more", WORKER_REQUEST, ENDED, { 0 },
      "release changed token rate slot", .after = WORKER_SLOT, .kind = WORKER_BACKFILL, .backfilling = true,
      .next = { .kind = NEXT_NOW } },
    { "the backfill fails", WORKER_REQUEST, ENDED, { 0 },
      "release changed wake@800", .after = WORKER_IDLE, .kind = WORKER_BACKFILL, .backfilling = true,
      .next = { .kind = NEXT_RETRY, .wait_ms = 800, .tries = 1, .err.text = "HTTP 500" } },
};

static void test_ends(void **state UNUSED)
{
    play_all(end_rows, COUNT_OF(end_rows));
}

/* After everything has been read, by poll_interval; nothing is to spare. An input has its own third of the interval. */
static void test_when_the_next_poll_is_due(void **state UNUSED)
{
    static const struct { const char *name; size_t number; int64_t was_due_ms, now_ms; bool first; int64_t want_ms; }
    rows[] = {
        { "the first poll of all", 0, 0, 600001, true, 660000 },
        { "the first poll, close to the moment: the pause is a tenth of the interval at least", 0, 0, 655000, true,
          720000 },
        { "on time", 0, 600000, 600200, false, 660000 },
        { "on time, the second third", 1, 620000, 620200, false, 680000 },
        { "on time, the last third", 2, 640000, 640200, false, 700000 },
        { "the fourth input has the moment of the first", 3, 600000, 600200, false, 660000 },
        { "late by less than half an interval: back at its moment", 0, 625000, 625100, false, 660000 },
        { "late by more than half: halfway to the moment after", 0, 635000, 635100, false, 677500 },
        { "an answer that took several intervals", 0, 600000, 830000, false, 840000 },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct next next = { .kind = NEXT_POLL };
        struct feed *feed = &fake.scene.feed;

        feed->number = rows[i].number;
        feed->read_ms = rows[i].first ? 0 : 1;
        fake.rate.scarce_until_ms = INT64_MAX;
        fake.worker.state = WORKER_REQUEST;
        fake.worker.due_ms = rows[i].was_due_ms;
        worker_ended(&fake.worker, &next, rows[i].now_ms);
        CHECK(fake.worker.due_ms == rows[i].want_ms, "%s: due at %lld, not %lld", rows[i].name,
              (long long)fake.worker.due_ms, (long long)rows[i].want_ms);
        CHECK(feed->read_ms == rows[i].now_ms, "%s: the poll counts", rows[i].name);
        CHECK(fake.worker.state == WORKER_IDLE, "%s: state %d", rows[i].name, fake.worker.state);
    }
}

/* promise: Cost: Polls come twice in an interval, three times after a recent alert, if the rate limit has room */
static void test_polls_come_sooner_than_they_have_to(void **state UNUSED)
{
    enum { SPARE, SCARCE, BACKFILL };
    static const struct { const char *name; int64_t poll_interval, alert_age_s; int how; int64_t want_ms; } rows[] = {
        { "an alert of this minute", 60, 30, SPARE, 620000 },
        { "an alert that is dated a little ahead", 60, -30, SPARE, 620000 },
        { "the last of the ten minutes", 60, 590, SPARE, 620000 },
        { "a quiet input", 60, 610, SPARE, 630000 },
        { "an alert that is dated far ahead", 60, -3600, SPARE, 630000 },
        { "an alert of this minute, nothing to spare", 60, 30, SCARCE, 660000 },
        { "a quiet input, nothing to spare", 60, 610, SCARCE, 660000 },
        { "a quiet input during a backfill", 60, 610, BACKFILL, 660000 },
        { "a long interval", 1200, 9000, SPARE, 1200000 },
        { "no less than ten seconds, active", 20, 30, SPARE, 610000 },
        { "no less than ten seconds, quiet", 15, 610, SPARE, 610000 },
        { "ten seconds", 10, 30, SPARE, 610000 },
        { "an interval that is short anyway, not at its moment", 7, 30, SPARE, 604500 },
    };
    struct feed *feed = &fake.scene.feed;
    struct next next = { .kind = NEXT_POLL };

    feed->number = 0;
    feed->read_ms = 1;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fake.scene.input.poll_interval = rows[i].poll_interval;
        fake.rate.scarce_until_ms = rows[i].how == SCARCE ? INT64_MAX : 0;
        feed->progress.cursor.backfill.active = rows[i].how == BACKFILL;
        feed->newest_alert = feed_service_now(feed) - rows[i].alert_age_s * TICKS_PER_SECOND;
        fake.worker.state = WORKER_REQUEST;
        fake.worker.due_ms = 600000;
        worker_ended(&fake.worker, &next, 600200);
        CHECK(fake.worker.due_ms == rows[i].want_ms, "%s: due at %lld, not %lld", rows[i].name,
              (long long)fake.worker.due_ms, (long long)rows[i].want_ms);
    }
}

/* A worker that catches up is no poll, unless it is the live one. */
static void test_the_backfill_is_no_poll(void **state UNUSED)
{
    struct next next = { .kind = NEXT_POLL };

    fake.worker.reading.kind = WORKER_BACKFILL;
    fake.worker.state = WORKER_REQUEST;
    worker_ended(&fake.worker, &next, NOW);
    CHECK(!fake.scene.feed.read_ms, "it counts as a poll");
}

/* promise: Trouble: The wait that a 429 or a 503 asks for is kept, in seconds and fractions. */
static void test_throttled_holds_the_rate(void **state UNUSED)
{
    struct next next = { .kind = NEXT_THROTTLED, .wait_ms = 60000, .err.text = "HTTP 429" };

    fake.worker.state = WORKER_REQUEST;
    worker_ended(&fake.worker, &next, NOW);
    CHECK(fake.worker.due_ms == NOW + 60000, "due at %lld", (long long)(fake.worker.due_ms - NOW));
    CHECK(rate_take(&fake.rate, &fake.worker.waiter, NOW + 59999) > 0, "another input of the tenant may ask");
    CHECK(rate_take(&fake.rate, &fake.worker.waiter, NOW + 60000) == 0, "nobody may ask after the wait");
    CHECK(fake.scene.feed.tally.throttled_ms == 60000, "%lld ms in the metrics",
          (long long)fake.scene.feed.tally.throttled_ms);
    CHECK_TEXT(fake.scene.feed.problem.text, "HTTP 429");
}

static void test_other_failures_do_not_hold_the_rate(void **state UNUSED)
{
    static const enum next_kind kinds[] = { NEXT_RETRY, NEXT_REFUSED };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct next next = { .kind = kinds[i], .wait_ms = 60000, .tries = 1, .err.text = "why" };

        fake.worker.state = WORKER_REQUEST;
        worker_ended(&fake.worker, &next, NOW);
        CHECK(fake.worker.due_ms == NOW + 60000, "due at %lld", (long long)(fake.worker.due_ms - NOW));
        CHECK(rate_take(&fake.rate, &fake.worker.waiter, NOW) == 0, "the rate is held");
        CHECK_TEXT(fake.scene.feed.problem.text, "why");
    }
}

static void test_a_401_rejects_the_token(void **state UNUSED)
{
    struct next next = { .kind = NEXT_NEW_TOKEN };

    fake.source.token.authorization = mem_text("secret");
    fake.worker.state = WORKER_REQUEST;
    fake.worker.token = 76;
    worker_ended(&fake.worker, &next, NOW);
    CHECK(fake.source.token.authorization, "a newer token was thrown away");
    fake.worker.state = WORKER_REQUEST;
    fake.worker.token = 77;
    fake.says.token = TOKEN_BUSY;
    worker_ended(&fake.worker, &next, NOW);
    CHECK(!fake.source.token.authorization, "the token that was refused is still there");
}

/* promise: Trouble: While throttling goes on, waits grow, whatever the service asks for. */
static void test_throttled_again_and_again(void **state UNUSED)
{
    int64_t now_ms = NOW, wait_ms = 0;

    for (int i = 0; i < 12; i++, now_ms += wait_ms) {
        struct next next = { .kind = NEXT_THROTTLED, .wait_ms = 1000, .err.text = "HTTP 429" };

        fake.worker.state = WORKER_REQUEST;
        worker_ended(&fake.worker, &next, now_ms);
        wait_ms = fake.worker.due_ms - now_ms;
        CHECK(wait_ms >= 1000, "%lld ms", (long long)wait_ms);
    }
    CHECK(wait_ms >= 150000, "after twelve times in a row it waits %lld ms", (long long)wait_ms);
    fake.worker.state = WORKER_REQUEST;
    worker_ended(&fake.worker, &(struct next){ .kind = NEXT_POLL }, now_ms);
    fake.worker.state = WORKER_REQUEST;
    worker_ended(&fake.worker, &(struct next){ .kind = NEXT_THROTTLED, .wait_ms = 1000 }, now_ms);
    CHECK(fake.worker.due_ms - now_ms == 1000, "after a success it begins again");
}

/* A token lists the permissions of the moment when it was issued. */
static void test_a_repetition_has_a_fresh_token(void **state UNUSED)
{
    static const struct { const char *name; uint64_t refused; int64_t age_ms; bool login_fails; bool kept; } rows[] = {
        { "the token that was refused", 77, 1000, false, false },
        { "an old token that was refused", 77, 3000000, false, false },
        { "another input has fetched one just now", 76, 1000, false, true },
        { "another input has fetched one some time ago", 76, 600000, false, false },
        { "the login service fails: others may still use the token", 77, 3000000, true, true },
    };

    struct principal principal = { .tenant_id = NULL };

    fake.source.principal = &principal;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        fake.worker.token = rows[i].refused;
        fake.source.state = SOURCE_REQUEST;     /* so that nothing is sent from here */
        fake.source.token_ms = NOW - rows[i].age_ms;
        fake.source.failures = rows[i].login_fails;
        token_release(&fake.source.token);
        fake.source.token = (struct token){ .authorization = mem_text("secret"), .expires_ms = INT64_MAX / 2,
                                            .lifetime_ms = 3600000 };
        worker_port.renew(&fake.worker, NOW);
        CHECK(!fake.source.token.authorization == !rows[i].kept, "%s", rows[i].name);
    }
}

static void test_success_forgets_the_sign_in_error(void **state UNUSED)
{
    static const struct { enum next_kind kind; bool kept; } rows[] = {
        { NEXT_NOW, false }, { NEXT_POLL, false }, { NEXT_RETRY, true }, { NEXT_REFUSED, true },
        { NEXT_NEW_TOKEN, true }, { NEXT_VARIANT, true },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct next next = { .kind = rows[i].kind, .wait_ms = 1 };

        mem_freep(&fake.scene.feed.sign_in_error);
        fake.scene.feed.sign_in_error = mem_text("AADSTS7000215");
        fake.worker.state = WORKER_REQUEST;
        worker_ended(&fake.worker, &next, NOW);
        CHECK(!fake.scene.feed.sign_in_error == !rows[i].kept, "after kind %d", rows[i].kind);
    }
}

/* The quarantine worker waits for the first window that is due, and does not wait longer than for that. */
static void test_the_quarantine_worker(void **state UNUSED)
{
    struct quarantine *quarantine = &fake.scene.feed.progress.quarantine;
    int64_t now_s = feed_service_now(&fake.scene.feed) / TICKS_PER_SECOND;
    struct window first = { 0, 10 * TICKS_PER_SECOND }, second = { 20 * TICKS_PER_SECOND, 30 * TICKS_PER_SECOND };
    int64_t wait_ms;

    fake.worker.reading.kind = WORKER_QUARANTINE;
    fake.worker.due_ms = 0;
    worker_step(&fake.worker, NOW);
    CHECK_TEXT(buf_text(&fake.calls), "");
    quarantine_add(quarantine, &first, now_s);
    quarantine_failed(quarantine, &first, &(struct quarantine_failure){ .now_s = now_s });
    worker_step(&fake.worker, NOW);
    CHECK(sscanf(buf_text(&fake.calls), "wake@%lld", (long long *)&wait_ms) == 1 && wait_ms > 14000 && wait_ms <= 15000,
          "%s", buf_text(&fake.calls));
    buf_clear(&fake.calls);
    quarantine_add(quarantine, &second, now_s);
    worker_step(&fake.worker, NOW);
    CHECK_TEXT(buf_text(&fake.calls), "token rate slot");
    CHECK(fake.worker.state == WORKER_SLOT, "a window that is due waits for one that is not");
}

/* A probe decides about a window that failed. The response may have told that by the service's clock nothing was due; the
 * probe is sent all the same, or it would be sent in place of the next try, hours later. */
static void test_a_probe_that_is_not_due(void **state UNUSED)
{
    struct quarantine *quarantine = &fake.scene.feed.progress.quarantine;
    int64_t now_s = feed_service_now(&fake.scene.feed) / TICKS_PER_SECOND;
    struct window window = { 0, 10 * TICKS_PER_SECOND };

    fake.worker.reading.kind = WORKER_QUARANTINE;
    fake.worker.due_ms = 0;
    quarantine_add(quarantine, &window, now_s);
    quarantine_failed(quarantine, &window, &(struct quarantine_failure){ .now_s = now_s });
    fake.worker.reading.suspicion.state = SUSPICION_PROBE;
    worker_step(&fake.worker, NOW);
    CHECK_TEXT(buf_text(&fake.calls), "token rate slot");
}

/* A slot that is granted at once is not asked for twice, however often the worker is stepped. */
static void test_one_request_at_a_time(void **state UNUSED)
{
    fake.worker.due_ms = 0;
    for (int i = 0; i < 5; i++)
        worker_step(&fake.worker, NOW);
    CHECK_TEXT(buf_text(&fake.calls), "token rate slot");
    worker_granted(&fake.worker, NOW);
    for (int i = 0; i < 5; i++)
        worker_step(&fake.worker, NOW);
    CHECK_TEXT(buf_text(&fake.calls), "token rate slot token send");
}

/* Slots taken and given back over a long life with every kind of trouble. */
static void test_no_slot_leaks(void **state UNUSED)
{
    static const enum next_kind kinds[] = { NEXT_NOW, NEXT_RETRY, NEXT_NEW_TOKEN, NEXT_THROTTLED, NEXT_POLL,
                                            NEXT_REFUSED, NEXT_VARIANT };
    int64_t now_ms = NOW;
    size_t slots = 0, releases = 0, sends = 0;
    const char *at;

    for (size_t i = 0; i < 200; i++) {
        struct next next = { .kind = kinds[i % COUNT_OF(kinds)], .wait_ms = 100, .err.text = "why" };

        now_ms += INTERVAL;
        worker_step(&fake.worker, now_ms);
        if (fake.worker.state == WORKER_SLOT) {
            fake.says.token = i % 3 ? TOKEN_READY : TOKEN_BUSY;
            worker_granted(&fake.worker, now_ms);
            fake.says.token = TOKEN_READY;
        }
        if (fake.worker.state == WORKER_REQUEST)
            worker_ended(&fake.worker, &next, now_ms);
        for (at = buf_text(&fake.calls); (at = strstr(at, "slot")); at++)
            slots++;
        for (at = buf_text(&fake.calls); (at = strstr(at, "release")); at++)
            releases++;
        for (at = buf_text(&fake.calls); (at = strstr(at, "send")); at++)
            sends++;
        buf_clear(&fake.calls);
    }
    CHECK(slots == releases + (fake.worker.state == WORKER_SLOT || fake.worker.state == WORKER_REQUEST),
          "%zu slots, %zu given back, in state %d", slots, releases, fake.worker.state);
    CHECK(sends > 100, "%zu requests", sends);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_fake, close_fake)

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_steps),
    cmocka_unit_test(test_grants),
    cmocka_unit_test(test_ends),
    CASE(test_when_the_next_poll_is_due),
    CASE(test_polls_come_sooner_than_they_have_to),
    CASE(test_the_backfill_is_no_poll),
    CASE(test_throttled_holds_the_rate),
    CASE(test_other_failures_do_not_hold_the_rate),
    CASE(test_a_401_rejects_the_token),
    CASE(test_throttled_again_and_again),
    CASE(test_a_repetition_has_a_fresh_token),
    CASE(test_success_forgets_the_sign_in_error),
    CASE(test_the_quarantine_worker),
    CASE(test_a_probe_that_is_not_due),
    CASE(test_one_request_at_a_time),
    CASE(test_no_slot_leaks),
};

UNIT(worker, cases, NULL, NULL)
