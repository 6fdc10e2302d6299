/* Token sources: the table of decisions, and the whole with the HTTP requests replaced at link time (WRAPPED in the
 * Makefile). The fake answers for the login service and for splunkd. */
#include "auth/token_source_private.h"

#include <stdlib.h>

#include "auth/principal.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "fake_http.h"
#include "splunk/secret_hosts.h"

/* Decisions. */

#define NONE { 0 }
#define DUE .due = true
#define CAN .credential = true
#define LACKS .lacks_assertion = true
#define BUSY .redeems = true, .redeemer_busy = true

static const struct decision {
    enum source_state   state;
    enum source_event   event;
    struct source_facts facts;
    struct source_next  next;
} decisions[] = {
    /* asking */
    { SOURCE_IDLE, ON_ASK, { CAN }, { SOURCE_IDLE, DO_NOTHING } },
    { SOURCE_IDLE, ON_ASK, { DUE, CAN }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_IDLE, ON_ASK, { DUE }, { SOURCE_RETRY, DO_REFUSE } },
    { SOURCE_IDLE, ON_ASK, { DUE, CAN, .redeems = true }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_IDLE, ON_ASK, { DUE, CAN, BUSY }, { SOURCE_WAIT, DO_NOTHING } },
    { SOURCE_IDLE, ON_ASK, { DUE, CAN, .redeemer_busy = true }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_RETRY, ON_ASK, { DUE, CAN }, { SOURCE_RETRY, DO_NOTHING } },
    { SOURCE_RETRY, ON_ASK, { DUE, CAN, .retry_due = true }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_RETRY, ON_ASK, { CAN, .retry_due = true }, { SOURCE_RETRY, DO_NOTHING } },
    { SOURCE_WAIT, ON_ASK, { DUE, CAN, BUSY }, { SOURCE_WAIT, DO_NOTHING } },
    { SOURCE_WAIT, ON_ASK, { DUE, CAN }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_QUEUED, ON_ASK, { DUE, CAN }, { SOURCE_QUEUED, DO_NOTHING } },
    { SOURCE_REQUEST, ON_ASK, { DUE, CAN }, { SOURCE_REQUEST, DO_NOTHING } },
    { SOURCE_STORING, ON_ASK, { DUE, CAN, .retry_due = true }, { SOURCE_STORING, DO_NOTHING } },
    { SOURCE_STORE_WAIT, ON_ASK, { DUE, CAN, .retry_due = true }, { SOURCE_STORE_WAIT, DO_NOTHING } },
    /* an assertion that somebody else issues */
    { SOURCE_IDLE, ON_ASK, { DUE, CAN, LACKS }, { SOURCE_ASSERTION, DO_FETCH_ASSERTION } },
    { SOURCE_RETRY, ON_ASK, { DUE, CAN, LACKS, .retry_due = true }, { SOURCE_ASSERTION, DO_FETCH_ASSERTION } },
    { SOURCE_IDLE, ON_CODE, { CAN, LACKS, .redeems = true }, { SOURCE_ASSERTION, DO_FETCH_ASSERTION } },
    { SOURCE_ASSERTION, ON_ASSERTION, { DUE, CAN }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_ASSERTION, ON_ASSERTION, { DUE, CAN, BUSY }, { SOURCE_WAIT, DO_NOTHING } },
    { SOURCE_ASSERTION, ON_ASSERTION, { DUE, CAN, LACKS }, { SOURCE_ASSERTION, DO_FETCH_ASSERTION } },
    { SOURCE_ASSERTION, ON_ASK, { DUE, CAN, LACKS }, { SOURCE_ASSERTION, DO_NOTHING } },
    { SOURCE_ASSERTION, ON_CREDENTIAL, { CAN, LACKS }, { SOURCE_ASSERTION, DO_FORGIVE } },
    /* an authorization code */
    { SOURCE_IDLE, ON_CODE, { CAN, .redeems = true }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_IDLE, ON_CODE, { CAN, BUSY }, { SOURCE_WAIT, DO_NOTHING } },
    { SOURCE_RETRY, ON_CODE, { CAN, .redeems = true }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_WAIT, ON_CODE, { CAN, BUSY }, { SOURCE_WAIT, DO_NOTHING } },
    { SOURCE_QUEUED, ON_CODE, { CAN, .redeems = true }, { SOURCE_QUEUED, DO_NOTHING } },
    { SOURCE_REQUEST, ON_CODE, { CAN, .redeems = true }, { SOURCE_REQUEST, DO_NOTHING } },
    { SOURCE_STORING, ON_CODE, { CAN, .redeems = true }, { SOURCE_STORING, DO_NOTHING } },
    { SOURCE_STORE_WAIT, ON_CODE, { CAN, .redeems = true }, { SOURCE_STORE_WAIT, DO_NOTHING } },
    /* a changed credential */
    { SOURCE_IDLE, ON_CREDENTIAL, NONE, { SOURCE_IDLE, DO_FORGIVE } },
    { SOURCE_RETRY, ON_CREDENTIAL, NONE, { SOURCE_IDLE, DO_FORGIVE } },
    { SOURCE_WAIT, ON_CREDENTIAL, NONE, { SOURCE_WAIT, DO_FORGIVE } },
    { SOURCE_REQUEST, ON_CREDENTIAL, NONE, { SOURCE_REQUEST, DO_FORGIVE } },
    { SOURCE_STORE_WAIT, ON_CREDENTIAL, NONE, { SOURCE_STORE_WAIT, DO_FORGIVE } },
    /* the turn of the next one that redeems */
    { SOURCE_WAIT, ON_REDEEMED, { CAN, .redeems = true }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_WAIT, ON_REDEEMED, { CAN, BUSY }, { SOURCE_WAIT, DO_NOTHING } },
    { SOURCE_WAIT, ON_REDEEMED, NONE, { SOURCE_IDLE, DO_TELL } },
    { SOURCE_IDLE, ON_REDEEMED, { DUE, CAN }, { SOURCE_IDLE, DO_NOTHING } },
    { SOURCE_RETRY, ON_REDEEMED, { DUE, CAN, .retry_due = true }, { SOURCE_RETRY, DO_NOTHING } },
    /* the limiter */
    { SOURCE_QUEUED, ON_SLOT, { CAN }, { SOURCE_REQUEST, DO_SEND } },
    { SOURCE_QUEUED, ON_SLOT, { CAN, .redeems = true }, { SOURCE_REQUEST, DO_SEND } },
    { SOURCE_QUEUED, ON_SLOT, { CAN, BUSY }, { SOURCE_WAIT, DO_RELEASE } },
    /* responses */
    { SOURCE_REQUEST, ON_TOKEN, { CAN }, { SOURCE_IDLE, DO_USE } },
    { SOURCE_REQUEST, ON_ROTATED, { CAN }, { SOURCE_STORING, DO_STORE } },
    { SOURCE_REQUEST, ON_OTHER_FORM, { CAN }, { SOURCE_QUEUED, DO_ACQUIRE } },
    { SOURCE_REQUEST, ON_FAILURE, { CAN }, { SOURCE_RETRY, DO_FAIL } },
    { SOURCE_REQUEST, ON_FAILURE, { CAN, .code_sent = true }, { SOURCE_IDLE, DO_FAIL_CODE } },
    /* the store */
    { SOURCE_STORING, ON_STORED, { CAN }, { SOURCE_IDLE, DO_USE } },
    { SOURCE_STORING, ON_NOT_STORED, { CAN }, { SOURCE_STORE_WAIT, DO_STORE_LATER } },
    { SOURCE_STORE_WAIT, ON_TIMER, { CAN }, { SOURCE_STORING, DO_STORE } }
};

static void test_decisions(void **state UNUSED)
{
    size_t i;

    for (i = 0; i < COUNT_OF(decisions); i++) {
        const struct decision *row = &decisions[i];
        struct source_next next = token_next(row->state, row->event, &row->facts);

        CHECK(next.state == row->next.state && next.action == row->next.action, "row %zu: state %d, action %d", i,
              next.state, next.action);
    }
}

/* An event that a state does not wait for changes nothing. */
static void test_strange_events(void **state UNUSED)
{
    static const struct { enum source_event event; enum source_state state; } awaited[] = {
        { ON_REDEEMED, SOURCE_WAIT }, { ON_ASSERTION, SOURCE_ASSERTION }, { ON_SLOT, SOURCE_QUEUED }, { ON_TOKEN, SOURCE_REQUEST },
        { ON_ROTATED, SOURCE_REQUEST }, { ON_OTHER_FORM, SOURCE_REQUEST }, { ON_FAILURE, SOURCE_REQUEST },
        { ON_STORED, SOURCE_STORING }, { ON_NOT_STORED, SOURCE_STORING }, { ON_TIMER, SOURCE_STORE_WAIT } };
    const struct source_facts facts = { DUE, CAN, .retry_due = true };
    size_t i;
    int at;

    for (i = 0; i < COUNT_OF(awaited); i++) {
        for (at = SOURCE_IDLE; at <= SOURCE_STORE_WAIT; at++) {
            struct source_next next = token_next((enum source_state)at, awaited[i].event, &facts);

            if (at != (int)awaited[i].state)
                CHECK((int)next.state == at && next.action == DO_NOTHING, "event %d in state %d", awaited[i].event,
                      at);
        }
    }
}

/* The world: requests are kept until the test answers them. */

#define REQUESTS_MAX 32

static struct world {
    bool               on;
    struct sent { char *url, *form; http_done_fn *done; void *ctx; bool ended; } sent[REQUESTS_MAX];
    size_t             count;
    struct loop       *loop;
    struct limiter    *limiter;
    struct rest       *rest;
    struct passwords  *passwords;
    struct principals *principals;
    struct principal  *principal;
    struct token_source *source;
    struct token_listener listener;
    int                told, sessions_lost;
} world;

struct http_request *(*fake_http_start)(const struct http_spec *spec);
void (*fake_http_cancel)(struct http_request *request);

struct http_request *__real_http_start(struct http *http, const struct http_spec *spec);
struct http_request *__wrap_http_start(struct http *http, const struct http_spec *spec);
struct http_request *__wrap_http_start(struct http *http, const struct http_spec *spec)
{
    struct sent *sent = &world.sent[world.count];

    if (fake_http_start)
        return fake_http_start(spec);
    if (!world.on)
        return __real_http_start(http, spec);
    if (world.count == REQUESTS_MAX)
        return NULL;
    world.count++;
    *sent = (struct sent){ mem_text(spec->url), mem_text(spec->form ? spec->form : ""), spec->done, spec->ctx, false };
    return (struct http_request *)sent;
}

void __real_http_cancel(struct http_request *request);
void __wrap_http_cancel(struct http_request *request);
void __wrap_http_cancel(struct http_request *request)
{
    if (fake_http_cancel)
        fake_http_cancel(request);
    else if (world.on)
        ((struct sent *)request)->ended = true;
    else
        __real_http_cancel(request);
}

static void told(void *ctx UNUSED)
{
    world.told++;
}

static void session_lost(void *ctx UNUSED)
{
    world.sessions_lost++;
}

static void taken(void *ctx UNUSED)
{
}

static void open_world(void)
{
    world = (struct world){ .on = true, .loop = loop_new(), .listener = { .changed = told } };
    world.limiter = limiter_new(world.loop, 10, 10);
    world.rest = rest_new(world.loop, NULL, "https://127.0.0.1:8089", "key", NULL);
    world.passwords = passwords_new(world.rest);
    world.principals = principals_new(world.loop, NULL, world.limiter, world.passwords, session_lost, NULL);
    world.principal = principal_get(world.principals, &(struct principal_spec){
        .tenant_id = "t", .client_id = "c", .login_url = "https://login",
        .route = &(struct http_route){ .proxy = "http://u:p@proxy:1" } });
    world.source = token_source_get(world.principal, "https://one", false, NULL);
    token_source_listen(world.source, &world.listener);
}

static void close_world(void)
{
    size_t i;

    CHECK(!principals_storing(world.principals), "a refresh token is on its way");
    principals_free(world.principals);
    passwords_free(world.passwords);
    rest_free(world.rest);
    limiter_free(world.limiter);
    loop_free(world.loop);
    for (i = 0; i < world.count; i++) {
        free(world.sent[i].url);
        free(world.sent[i].form);
    }
    world.on = false;
}

/* The one request in flight whose address has these words; fails the test if there is none. */
static struct sent *in_flight(const char *words)
{
    struct sent *found = NULL;
    size_t i, count = 0;

    for (i = 0; i < world.count; i++) {
        if (world.sent[i].ended || !strstr(world.sent[i].url, words))
            continue;
        found = &world.sent[i];
        count++;
    }
    CHECK(count == 1, "%zu requests to %s", count, words);
    return found;
}

static bool is_quiet(const char *words)
{
    size_t i;

    for (i = 0; i < world.count; i++)
        if (!world.sent[i].ended && strstr(world.sent[i].url, words))
            return false;
    return true;
}

static void answer(const char *words, int status, const char *body)
{
    struct sent *sent = in_flight(words);

    if (!sent)
        return;
    sent->ended = true;
    sent->done(sent->ctx, &(struct http_result){
        .status = status, .body = body, .body_len = strlen(body), .content_type = "application/json",
        .retry_after_ms = -1, .request_id = "", .authenticate = "" });
}

static void answer_token(const char *access, const char *refresh)
{
    CLEANUP(mem_freep) char *more = refresh ? mem_format(",\"refresh_token\":\"%s\"", refresh) : mem_text("");
    CLEANUP(mem_freep) char *body = mem_format("{\"access_token\":\"%s\",\"expires_in\":3600%s}", access, more);

    answer("login", 200, body);
}

/* splunkd takes the value and gives it back. */
static void answer_store(const char *value)
{
    CLEANUP(mem_freep) char *body = mem_format("{\"entry\":[{\"content\":{\"clear_password\":\"%s\"}}]}", value);
    const struct sent *sent = in_flight("passwords");

    CHECK(sent && strstr(sent->form, value), "%s is not what is stored", value);
    answer("passwords", 200, "{}");
    answer("passwords", 200, body);
}

/* The value that was written is read back. */
static void answer_back(const char *value)
{
    CLEANUP(mem_freep) char *body = mem_format("{\"entry\":[{\"content\":{\"clear_password\":\"%s\"}}]}", value);

    answer("passwords", 200, body);
}

static void check_form(const char *words)
{
    const struct sent *sent = in_flight("login");

    CHECK(sent && strstr(sent->form, words), "'%s' is not in '%s'", words, sent ? sent->form : "");
}

static void check_ask(struct token_source *source, int64_t later_ms, enum token_state state, const char *authorization)
{
    struct token_view view;
    enum token_state got = token_source_ask(source, clock_ms() + later_ms, &view);

    CHECK(got == state, "got %d, want %d", got, state);
    CHECK(text_same(view.authorization, authorization), "got %s", view.authorization ? view.authorization : "none");
}

#define MINUTE_MS 60000

static void test_renewal(void **state UNUSED)
{
    struct token_view view;

    open_world();
    principal_set_secret(world.principal, "s", NULL);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    check_form("grant_type=client_credentials");
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    answer_token("A1", NULL);
    CHECK(world.told == 1, "%d", world.told);
    check_ask(world.source, 50 * MINUTE_MS, TOKEN_READY, "Bearer A1");
    CHECK(is_quiet("login"), "renewed too soon");
    check_ask(world.source, 56 * MINUTE_MS, TOKEN_READY, "Bearer A1");
    answer("login", 503, "");
    CHECK(token_source_peek(world.source, clock_ms(), &view) == TOKEN_READY && view.fails, "%d", view.fails);
    CHECK(token_source_peek(world.source, clock_ms() + 60 * MINUTE_MS, &view) == TOKEN_FAILED, "expired");
    check_ask(world.source, 58 * MINUTE_MS, TOKEN_READY, "Bearer A1");
    answer_token("A2", NULL);
    CHECK(token_source_peek(world.source, clock_ms(), &view) == TOKEN_READY && !view.fails, "%d", view.fails);
    check_ask(world.source, 0, TOKEN_READY, "Bearer A2");
    close_world();
}

static void test_refusal(void **state UNUSED)
{
    static const char wrong[] = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: wrong\","
                                "\"error_codes\":[7000215]}";
    struct token_view view;

    open_world();
    check_ask(world.source, 0, TOKEN_FAILED, NULL);     /* no credential */
    CHECK(world.count == 0, "%zu", world.count);
    principal_set_secret(world.principal, "s", NULL);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    answer("login", 401, wrong);
    CHECK(token_source_peek(world.source, 0, &view) == TOKEN_FAILED && view.err->kind == ERR_AUTH, "%s",
          view.err->text);
    check_ask(world.source, 14 * MINUTE_MS, TOKEN_FAILED, NULL);
    CHECK(is_quiet("login"), "tried again too soon");
    check_ask(world.source, 16 * MINUTE_MS, TOKEN_BUSY, NULL);
    answer("login", 401, wrong);
    check_ask(world.source, 29 * MINUTE_MS, TOKEN_FAILED, NULL);
    world.told = 0;
    principal_set_secret(world.principal, "s", NULL);
    CHECK(!world.told, "the same secret is no news");
    principal_set_secret(world.principal, "other", NULL);
    CHECK(world.told == 1, "%d", world.told);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    check_form("client_secret=other");
    answer_token("A1", NULL);
    close_world();
}

/* promise: Secrets: A token goes only to hosts of its audience. */
static void test_foreign_api(void **state UNUSED)
{
    struct token_source *evil;
    struct token_view view;

    open_world();
    evil = token_source_get(world.principal, "https://one", false, "https://evil");
    CHECK(evil != world.source, "an input with a foreign API shares the tokens of one without");
    principal_set_secret(world.principal, "good", "https://elsewhere");
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    answer_token("A1", NULL);
    check_ask(world.source, 0, TOKEN_READY, "Bearer A1");
    check_ask(evil, 0, TOKEN_FAILED, NULL);
    CHECK(token_source_peek(evil, 0, &view) == TOKEN_FAILED && view.err->kind == ERR_AUTH &&
          strstr(view.err->text, "client_secret in use may not go to https://evil (api_url)"), "%s", view.err->text);
    CHECK(is_quiet("login"), "a token was asked for");
    principal_set_secret(world.principal, "good", "https://evil"); /* entered again, with that host */
    check_ask(evil, 0, TOKEN_BUSY, NULL);
    answer_token("A2", NULL);
    check_ask(evil, 0, TOKEN_READY, "Bearer A2");
    principal_set_refresh_token(world.principal, "R1", "https://elsewhere");
    check_ask(evil, 61 * MINUTE_MS, TOKEN_FAILED, NULL);
    CHECK(strstr(view.err->text, "refresh_token in use"), "%s", view.err->text);
    CHECK(is_quiet("login"), "the refresh token was redeemed");
    close_world();
}

/* A credential that loses its hosts while the source waits in the queue is not used. */
static void test_foreign_api_in_the_queue(void **state UNUSED)
{
    struct slot all[10] = { { .go = NULL } };
    struct token_source *evil;
    size_t i;

    open_world();
    for (i = 0; i < COUNT_OF(all); i++) {
        all[i].go = taken;
        limiter_acquire(world.limiter, &all[i]);
    }
    evil = token_source_get(world.principal, "https://one", false, "https://evil");
    principal_set_secret(world.principal, "junk", "https://evil");
    check_ask(evil, 0, TOKEN_BUSY, NULL);
    principal_set_secret(world.principal, "good", NULL);
    evil->slot.go(evil->slot.ctx);
    CHECK(is_quiet("login"), "the good secret was used");
    check_ask(evil, 0, TOKEN_FAILED, NULL);
    for (i = 0; i < COUNT_OF(all); i++)
        limiter_release(&all[i]);
    close_world();
}

static void test_rotation(void **state UNUSED)
{
    open_world();
    principal_set_refresh_token(world.principal, "R1", NULL);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    check_form("refresh_token=R1");
    CHECK(principals_storing(world.principals), "a refresh token is being redeemed");
    answer_token("A1", "R2");
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    CHECK(principals_storing(world.principals), "R2 is not stored yet");
    answer_store("R2");
    check_ask(world.source, 0, TOKEN_READY, "Bearer A1");
    CHECK_TEXT(world.principal->refresh_token, "R2");
    check_ask(world.source, 56 * MINUTE_MS, TOKEN_READY, "Bearer A1");
    answer_token("A2", "R2");                           /* the same one: nothing to store */
    check_ask(world.source, 0, TOKEN_READY, "Bearer A2");
    CHECK(is_quiet("passwords"), "stored again");
    close_world();
}

static void entered(void *ctx UNUSED, bool ok, const struct err *err UNUSED)
{
    CHECK(ok, "the entered token is not stored");
}

/* Stores a token of the principal as another input does that brings it: its note first. */
static void enter(const char *token, const char *hosts)
{
    passwords_store(world.passwords, "refresh_token.t.c", token, hosts, entered, NULL);
    if (*hosts) {
        char *note = secret_hosts_note(NULL, NULL, token, hosts);

        answer("passwords", 200, "{}");
        answer_back(note);
        mem_freep(&note);
    }
    answer_store(token);
}

/* promise: Secrets: A rotated refresh token may go where the one before it could. */
static void test_entered_while_another_rotates(void **state UNUSED)
{
    CLEANUP(mem_freep) char *note = secret_hosts_note(NULL, "R1", "R2", "https://login");
    const struct sent *sent;

    open_world();
    principal_set_refresh_token(world.principal, "R1", "https://login");
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    enter("X1", "https://login https://evil");
    answer_token("A1", "R2");
    sent = in_flight("passwords");
    CHECK(sent && strstr(sent->form, "https%3A%2F%2Flogin") && !strstr(sent->form, "evil"), "%s",
          sent ? sent->form : "no note");
    answer("passwords", 200, "{}");
    answer_back(note);
    answer_store("R2");
    close_world();
}

/* promise: Secrets: A refresh token from a host that is not bound replaces nothing. */
static void test_rotated_by_a_host_that_is_not_bound(void **state UNUSED)
{
    open_world();
    principal_set_refresh_token(world.principal, "X1", "https://login");
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    enter("R1", "");
    answer_token("A1", "X2");
    CHECK(is_quiet("passwords"), "the entered token is replaced");
    check_ask(world.source, 0, TOKEN_READY, "Bearer A1");
    CHECK_TEXT(world.principal->refresh_token, "X1");
    close_world();
}

static void test_store_refuses(void **state UNUSED)
{
    struct token_view view;

    open_world();
    principal_set_refresh_token(world.principal, "R1", NULL);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    answer_token("A1", "R2");
    answer("passwords", 403, "{}");
    CHECK(token_source_peek(world.source, clock_ms(), &view) == TOKEN_FAILED, "not failed");
    CHECK(strstr(view.err->text, "cannot be stored"), "%s", view.err->text);
    check_ask(world.source, 20 * MINUTE_MS, TOKEN_FAILED, NULL);
    CHECK(is_quiet("login") && !principals_storing(world.principals), "asked again");
    CHECK(world.source->store_timer.heap_index, "no timer");
    timer_cancel(world.loop, &world.source->store_timer);
    world.source->store_timer.fire(world.source->store_timer.ctx, clock_ms());
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    answer("passwords", 401, "{}");
    CHECK(world.sessions_lost == 1, "%d", world.sessions_lost);
    timer_cancel(world.loop, &world.source->store_timer);
    world.source->store_timer.fire(world.source->store_timer.ctx, clock_ms());
    answer_store("R2");
    check_ask(world.source, 0, TOKEN_READY, "Bearer A1");
    close_world();
}

/* Two sources of one principal never redeem at the same time, and the second one uses the rotated token. */
static void test_one_redeems(void **state UNUSED)
{
    struct token_source *other;

    open_world();
    other = token_source_get(world.principal, "https://other", false, NULL);
    principal_set_refresh_token(world.principal, "R1", NULL);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    check_ask(other, 0, TOKEN_BUSY, NULL);
    check_form("scope=https%3A%2F%2Fone");
    answer_token("A1", "R2");
    CHECK(is_quiet("login"), "redeemed before the successor is stored");
    answer_store("R2");
    check_form("refresh_token=R2");
    check_form("scope=https%3A%2F%2Fother");
    answer("login", 503, "");
    check_ask(other, 0, TOKEN_FAILED, NULL);
    check_ask(world.source, 0, TOKEN_READY, "Bearer A1");
    close_world();
}

static void exchanged(void *ctx, bool ok, const struct err *err)
{
    *(int *)ctx = ok ? 1 : err->kind == ERR_AUTH ? 2 : 3;
}

static void test_exchange(void **state UNUSED)
{
    int first = 0, second = 0, third = 0;

    open_world();
    principal_set_secret(world.principal, "s", NULL);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    token_source_exchange(world.source, "K1", "https://back", "", exchanged, &first);
    token_source_exchange(world.source, "K2", "https://back", "", exchanged, &second);
    check_form("grant_type=client_credentials");
    answer_token("A1", NULL);
    check_form("code=K1");
    check_form("redirect_uri=https%3A%2F%2Fback");
    answer_token("A2", "R1");
    CHECK(!first, "reported before the refresh token is stored");
    answer_store("R1");
    CHECK(first == 1 && !second, "%d %d", first, second);
    check_form("code=K2");
    token_source_exchange(world.source, "K3", "https://back", "", exchanged, &third);
    answer("login", 400, "{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS54005: used\","
                         "\"error_codes\":[54005]}");
    CHECK(second == 2, "%d", second);
    check_form("code=K3");
    answer("login", 503, "");
    CHECK(third == 3, "%d", third);
    check_ask(world.source, 0, TOKEN_READY, "Bearer A2");
    CHECK(is_quiet("login"), "another request");
    close_world();
}

static void test_reject_and_refetch(void **state UNUSED)
{
    struct token_view view;

    open_world();
    principal_set_secret(world.principal, "s", NULL);
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    answer_token("A1", NULL);
    token_source_peek(world.source, clock_ms(), &view);
    token_source_reject(world.source, view.token);
    CHECK(is_quiet("login"), "fetched without an ask");
    check_ask(world.source, 0, TOKEN_BUSY, NULL);
    answer_token("A2", NULL);
    token_source_reject(world.source, view.token);      /* an old one */
    token_source_refetch(world.source, view.token);
    check_ask(world.source, 0, TOKEN_READY, "Bearer A2");
    token_source_peek(world.source, clock_ms(), &view);
    token_source_refetch(world.source, view.token);
    check_form("client_credentials");
    token_source_refetch(world.source, view.token);     /* a second input with the same token */
    answer_token("A3", NULL);
    check_ask(world.source, 0, TOKEN_READY, "Bearer A3");
    token_source_peek(world.source, clock_ms(), &view);
    token_source_refetch(world.source, view.token);
    answer("login", 503, "");
    token_source_refetch(world.source, view.token);
    CHECK(is_quiet("login"), "the backoff was cut short");
    check_ask(world.source, 0, TOKEN_FAILED, NULL);
    close_world();
}

/* A principal is found by all that tells sign-ins apart, and owns its route. */
static void test_principals(void **state UNUSED)
{
    char proxy[] = "http://u:p@proxy:1";
    struct http_route route = { .proxy = proxy }, none = { .proxy = NULL };
    struct principal_spec spec = { .tenant_id = "t", .client_id = "c", .login_url = "https://login", .route = &route };

    open_world();
    CHECK(principal_get(world.principals, &spec) == world.principal, "made twice");
    memset(proxy, 'x', strlen(proxy));
    CHECK_TEXT(world.principal->route.proxy, "http://u:p@proxy:1");
    CHECK(principal_get(world.principals, &spec) != world.principal, "another proxy");
    spec.route = &none;
    CHECK(principal_get(world.principals, &spec) != world.principal, "no proxy");
    CHECK(token_source_get(world.principal, "https://one", false, NULL) == world.source, "made twice");
    CHECK(token_source_get(world.principal, "https://one", true, NULL) != world.source, "another endpoint");
    CHECK(token_source_principal(world.source) == world.principal, "not its principal");
    close_world();
}

#define JWT "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"

static struct token_source *of_identity(const char *tenant, const char *login_url, const char *assertion)
{
    struct token_source *source = token_source_get(
        principal_get(world.principals, &(struct principal_spec){ .tenant_id = tenant, .client_id = "c",
                                                                  .login_url = login_url, .assertion = assertion,
                                                                  .route = &(struct http_route){ .proxy = "" } }),
        "https://graph.microsoft.com", false, NULL);

    return source;
}

/* promise: Secrets: One token of a managed identity serves all customers */
static void test_managed_identity(void **state UNUSED)
{
    static const char com[] = "https://login.microsoftonline.com", identity[] = "managed_identity";
    static const char got[] = "{\"access_token\":\"" JWT "\",\"expires_in\":\"86399\"}";
    struct token_source *one, *two, *evil;
    struct token_view view;

    open_world();
    one = of_identity("one", com, identity);
    two = of_identity("two", com, identity);
    check_ask(one, 0, TOKEN_BUSY, NULL);
    check_ask(two, 0, TOKEN_BUSY, NULL);
    answer("169.254.169.254", 500, "");
    CHECK(token_source_peek(one, 0, &view) == TOKEN_FAILED && strstr(view.err->text, "HTTP 500"), "%s", view.err->text);
    CHECK(token_source_peek(two, 0, &view) == TOKEN_FAILED && view.err->kind == ERR_RETRY, "%s", view.err->text);
    check_ask(one, 2000, TOKEN_BUSY, NULL);
    check_ask(two, 100, TOKEN_FAILED, NULL);
    answer("169.254.169.254", 200, got);
    check_ask(two, 200, TOKEN_BUSY, NULL);      /* forgiven, at once */
    CHECK(is_quiet("169.254.169.254"), "a token for each customer");
    answer("/one/", 200, "{\"access_token\":\"A1\",\"expires_in\":3600}");
    CHECK(strstr(in_flight("/two/")->form, "client_assertion=" JWT), "%s", in_flight("/two/")->form);
    answer("/two/", 200, "{\"access_token\":\"A2\",\"expires_in\":3600}");
    check_ask(one, 0, TOKEN_READY, "Bearer A1");
    check_ask(two, 0, TOKEN_READY, "Bearer A2");
    check_ask(one, 24 * 60 * MINUTE_MS, TOKEN_BUSY, NULL);
    answer("169.254.169.254", 400, "{\"error_description\":\"Identity not found\"}");
    CHECK(!strstr(in_flight("/one/")->url, "169"), "the old one is used as long as it is valid");
    answer("/one/", 200, "{\"access_token\":\"A3\",\"expires_in\":3600}");
    CHECK_TEXT(principal_credential(token_source_principal(one)), "managed_identity");

    check_ask(of_identity("one", "https://login.microsoftonline.us", identity), 0, TOKEN_BUSY, NULL);
    answer("AzureADTokenExchangeUSGov", 200, got);
    answer("microsoftonline.us/one/", 200, "{\"access_token\":\"A4\",\"expires_in\":3600}");

    evil = of_identity("one", "https://127.0.0.1:1", identity);
    check_ask(evil, 0, TOKEN_FAILED, NULL);
    token_source_peek(evil, 0, &view);
    CHECK(view.err->kind == ERR_AUTH && strstr(view.err->text, "only Microsoft's own sign-in hosts"), "%s",
          view.err->text);
    CHECK(is_quiet(""), "it was sent");
    close_world();
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_decisions),
    cmocka_unit_test(test_strange_events),
    cmocka_unit_test(test_renewal),
    cmocka_unit_test(test_refusal),
    cmocka_unit_test(test_foreign_api),
    cmocka_unit_test(test_foreign_api_in_the_queue),
    cmocka_unit_test(test_rotation),
    cmocka_unit_test(test_entered_while_another_rotates),
    cmocka_unit_test(test_rotated_by_a_host_that_is_not_bound),
    cmocka_unit_test(test_store_refuses),
    cmocka_unit_test(test_one_redeems),
    cmocka_unit_test(test_exchange),
    cmocka_unit_test(test_reject_and_refetch),
    cmocka_unit_test(test_principals),
    cmocka_unit_test(test_managed_identity),
};

UNIT(token_source, cases, NULL, NULL)
