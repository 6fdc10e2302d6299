/* The way of plaintext secrets into the store. The store, the login service and the timers are replaced at link time
 * (UNIT_WRAPPED in the Makefile); each case is compared by the order of what happened. */
#include "auth/secret_intake.h"

#include <stdlib.h>

#include "auth/token_source_private.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "splunk/stanza.h"

#define CLIENT  "client_secret.c"
#define REFRESH "refresh_token.t.c"
#define PROXY   "proxy_password.in"

static struct fake {
    bool        on;
    const char *stored_name, *stored_value;     /* one entry in the store */
    const char *imported;                       /* this value was imported before */
    enum reply { OK, RETRY, REFUSED } answers[2];  /* of the store or the login service, first and later calls */
    size_t      calls;
    struct timer *timer;
    struct principal *principal;
    struct secret_intake *intake;
    struct buf  log;
} fake;

static void note(const char *word, const char *a, const char *b)
{
    buf_add_format(&fake.log, "%s%s(%s%s%s)", fake.log.len ? " " : "", word, a ? a : "-", b ? "=" : "", b ? b : "");
}

static void answer(rest_done_fn *done, void *ctx)
{
    enum reply how = fake.answers[fake.calls++ > 0];
    struct err err = { .kind = how == RETRY ? ERR_RETRY : ERR_AUTH, .text = "no" };

    done(ctx, how == OK, how == OK ? NULL : &err);
}

/* The replaced functions: every call to them comes here, and goes on to the real ones unless this test runs. */

const char *__real_passwords_get(const struct passwords *passwords, const char *name);
const char *__wrap_passwords_get(const struct passwords *passwords, const char *name);
const char *__wrap_passwords_get(const struct passwords *passwords, const char *name)
{
    if (!fake.on)
        return __real_passwords_get(passwords, name);
    return text_same(name, fake.stored_name) ? fake.stored_value : NULL;
}

void __real_passwords_store(struct passwords *passwords, const char *name, const char *value, rest_done_fn *done, void
                            *ctx);
void __wrap_passwords_store(struct passwords *passwords, const char *name, const char *value, rest_done_fn *done, void
                            *ctx);
void __wrap_passwords_store(struct passwords *passwords, const char *name, const char *value, rest_done_fn *done, void
                            *ctx)
{
    if (!fake.on) {
        __real_passwords_store(passwords, name, value, done, ctx);
        return;
    }
    note("store", name, value);
    answer(done, ctx);
}

void __real_data_inputs_edit(struct data_inputs *inputs, const char *app, const char *name, const char *const
                             *name_value, rest_done_fn *done, void *ctx);
void __wrap_data_inputs_edit(struct data_inputs *inputs, const char *app, const char *name, const char *const
                             *name_value, rest_done_fn *done, void *ctx);
void __wrap_data_inputs_edit(struct data_inputs *inputs, const char *app, const char *name, const char *const
                             *name_value, rest_done_fn *done, void *ctx)
{
    if (!fake.on) {
        __real_data_inputs_edit(inputs, app, name, name_value, done, ctx);
        return;
    }
    for (; name_value[0]; name_value += 2)
        note("mask", name_value[0], name_value[1]);
    done(ctx, true, NULL);
}

void __real_token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri, void
                                  (*done)(void *ctx, bool ok, const struct err *err), void *ctx);
void __wrap_token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri, void
                                  (*done)(void *ctx, bool ok, const struct err *err), void *ctx);
void __wrap_token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri, void
                                  (*done)(void *ctx, bool ok, const struct err *err), void *ctx)
{
    if (!fake.on) {
        __real_token_source_exchange(source, code, redirect_uri, done, ctx);
        return;
    }
    note("exchange", code, redirect_uri);
    answer(done, ctx);
}

void __real_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms);
void __wrap_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms);
void __wrap_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms)
{
    if (fake.on)
        fake.timer = timer;
    else
        __real_timer_set(loop, timer, due_ms);
}

void __real_timer_cancel(struct loop *loop, struct timer *timer);
void __wrap_timer_cancel(struct loop *loop, struct timer *timer);
void __wrap_timer_cancel(struct loop *loop, struct timer *timer)
{
    if (!fake.on)
        __real_timer_cancel(loop, timer);
}

/* The owner. */

static bool imported(void *ctx UNUSED, const char *param UNUSED, const char *value)
{
    return text_same(fake.imported, value);
}

static void import(void *ctx UNUSED, const char *param, const char *value)
{
    note("import", param, value);
}

static void use_proxy(void *ctx UNUSED, const char *password)
{
    note("proxy", password, NULL);
}

static struct principal *principal(void *ctx UNUSED)
{
    CHECK(strstr(buf_text(&fake.log), "proxy("), "the principal is asked for before the proxy is known");
    return fake.principal;
}

static void waits(void *ctx UNUSED, const struct err *err)
{
    note("waits", err->text, NULL);
}

static void done(void *ctx UNUSED, bool changed)
{
    note("done", changed ? "changed" : "same", NULL);
    secret_intake_mask(fake.intake);
}

struct row {
    const char *name;
    const char *proxy, *password, *secret, *refresh, *code;     /* of the stanza */
    struct fake fake;
    const char *expected;
    const char *has_secret, *has_refresh;                       /* of the principal at the end */
};

static const struct row rows[] = {
    { .name = "nothing given, nothing stored", .expected = "proxy(-) done(same)" },
    { .name = "only stored", .fake = { .stored_name = CLIENT, .stored_value = "old" },
      .expected = "proxy(-) done(same)", .has_secret = "old" },
    { .name = "a client secret", .secret = "new",
      .expected = "proxy(-) store(" CLIENT "=new) import(client_secret=new) done(changed) mask(client_secret=********)",
      .has_secret = "new" },
    { .name = "a client secret in place of a stored one", .secret = "new",
      .fake = { .stored_name = CLIENT, .stored_value = "old" },
      .expected = "proxy(-) store(" CLIENT "=new) import(client_secret=new) done(changed) mask(client_secret=********)",
      .has_secret = "new" },
    { .name = "imported before: the stored one counts", .secret = "new",
      .fake = { .stored_name = CLIENT, .stored_value = "newer", .imported = "new" },
      .expected = "proxy(-) done(same) mask(client_secret=********)", .has_secret = "newer" },
    { .name = "imported before, and removed from the store", .secret = "new", .fake = { .imported = "new" },
      .expected = "proxy(-) store(" CLIENT "=new) import(client_secret=new) done(changed) mask(client_secret=********)",
      .has_secret = "new" },
    { .name = "a store that refuses the client secret", .secret = "new", .fake = { .answers = { REFUSED } },
      .expected = "proxy(-) store(" CLIENT "=new) done(same)", .has_secret = "new" },
    { .name = "a refresh token", .refresh = "r",
      .expected = "proxy(-) store(" REFRESH "=r) import(refresh_token=r) done(changed) mask(refresh_token=********)",
      .has_refresh = "r" },
    { .name = "a store that refuses the refresh token at first", .refresh = "r", .fake = { .answers = { REFUSED } },
      .expected = "proxy(-) store(" REFRESH "=r) waits(no) store(" REFRESH "=r) import(refresh_token=r) done(changed) "
                  "mask(refresh_token=********)", .has_refresh = "r" },
    { .name = "a proxy's password", .proxy = "http://u@h:1", .password = "pw",
      .expected = "store(" PROXY "=pw) proxy(pw) import(proxy=pw) done(changed) mask(proxy=http://u:********@h:1)" },
    { .name = "a stored password of a proxy", .proxy = "http://u@h:1",
      .fake = { .stored_name = PROXY, .stored_value = "pw" }, .expected = "proxy(pw) done(same)" },
    { .name = "a stored password without a proxy", .fake = { .stored_name = PROXY, .stored_value = "pw" },
      .expected = "proxy(-) done(same)" },
    { .name = "a code", .code = "https://x/?code=k",
      .expected = "proxy(-) exchange(k=https://x) import(authorization_code=https://x/?code=k) done(changed) "
                  "mask(authorization_code=)" },
    { .name = "a code after an outage", .code = "k", .fake = { .answers = { RETRY } },
      .expected = "proxy(-) exchange(k=https://x) waits(no) exchange(k=https://x) import(authorization_code=k) "
                  "done(changed) mask(authorization_code=)" },
    { .name = "a refused code", .code = "k", .fake = { .answers = { REFUSED } },
      .expected = "proxy(-) exchange(k=https://x) import(authorization_code=k) done(changed) "
                  "mask(authorization_code=)" },
    { .name = "an address without a code", .code = "https://x/?state=1",
      .expected = "proxy(-) import(authorization_code=https://x/?state=1) done(changed) mask(authorization_code=)" },
    { .name = "a code that was exchanged before", .code = "k", .fake = { .imported = "k" },
      .expected = "proxy(-) done(same) mask(authorization_code=)" },
    { .name = "all at once", .proxy = "http://u@h:1", .password = "pw", .secret = "s", .refresh = "r", .code = "k",
      .expected = "store(" PROXY "=pw) proxy(pw) import(proxy=pw) store(" CLIENT "=s) import(client_secret=s) "
                  "store(" REFRESH "=r) import(refresh_token=r) exchange(k=https://x) import(authorization_code=k) "
                  "done(changed) mask(proxy=http://u:********@h:1) mask(client_secret=********) "
                  "mask(refresh_token=********) mask(authorization_code=)", .has_secret = "s", .has_refresh = "r" }
};

static void play(const struct row *row)
{
    struct principals *principals = principals_new(NULL, NULL, NULL, NULL, NULL, NULL);
    struct input input = {
        .name = mem_text("in"), .app = mem_text("search"), .tenant_id = mem_text("t"), .client_id = mem_text("c"),
        .redirect_uri = mem_text("https://x"), .proxy = mem_text(row->proxy), .proxy_password = mem_text(row->password),
        .client_secret = mem_text(row->secret), .refresh_token = mem_text(row->refresh),
        .authorization_code = mem_text(row->code) };
    struct timer *timer;

    fake = row->fake;
    fake.on = true;
    fake.log = (struct buf)BUF_INIT(4096);
    fake.principal = principal_get(principals, &(struct principal_spec){
        .tenant_id = "t", .client_id = "c", .login_url = "https://l", .route = &(struct http_route){ .proxy = NULL } });
    fake.intake = secret_intake_new(&(struct secret_intake_spec){
        .input = &input, .label = "in", .login_url = "https://l", .resource = "https://r" },
        &(struct secret_intake_owner){ .imported = imported, .import = import, .use_proxy = use_proxy,
                                       .principal = principal, .waits = waits, .done = done });
    secret_intake_start(fake.intake);
    while ((timer = fake.timer)) {
        fake.timer = NULL;
        timer->fire(timer->ctx, 0);
    }
    CHECK(text_same(buf_text(&fake.log), row->expected), "%s:\n  got  %s\n  want %s", row->name, buf_text(&fake.log),
          row->expected);
    CHECK(text_same(fake.principal->client_secret, row->has_secret), "%s", row->name);
    CHECK(text_same(fake.principal->refresh_token, row->has_refresh), "%s", row->name);
    CHECK(!input.proxy_password && !input.client_secret && !input.refresh_token && !input.authorization_code,
          "%s: plaintext is left", row->name);
    secret_intake_free(fake.intake);
    principals_free(principals);
    input_free(&input);
    buf_free(&fake.log);
    fake.on = false;
}

static void test_intake(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        play(&rows[i]);
}

/* A secret that somebody stored later reaches the principal; one that is missing takes nothing away. */
static void test_refresh(void **state UNUSED)
{
    struct principals *principals = principals_new(NULL, NULL, NULL, NULL, NULL, NULL);
    struct input input = { .name = mem_text("in"), .tenant_id = mem_text("t"), .client_id = mem_text("c") };

    fake = (struct fake){ .on = true, .log = BUF_INIT(4096), .stored_name = CLIENT, .stored_value = "old" };
    fake.principal = principal_get(principals, &(struct principal_spec){
        .tenant_id = "t", .client_id = "c", .login_url = "https://l", .route = &(struct http_route){ .proxy = NULL } });
    fake.intake = secret_intake_new(&(struct secret_intake_spec){ .input = &input, .label = "in" },
        &(struct secret_intake_owner){ .imported = imported, .import = import, .use_proxy = use_proxy,
                                       .principal = principal, .waits = waits, .done = done });
    secret_intake_refresh(fake.intake);
    CHECK(!fake.principal->client_secret, "used before the start");
    secret_intake_start(fake.intake);
    CHECK_TEXT(fake.principal->client_secret, "old");
    fake.stored_value = "new";
    secret_intake_refresh(fake.intake);
    CHECK_TEXT(fake.principal->client_secret, "new");
    fake.stored_value = NULL;
    secret_intake_refresh(fake.intake);
    CHECK_TEXT(fake.principal->client_secret, "new");
    secret_intake_free(fake.intake);
    principals_free(principals);
    input_free(&input);
    buf_free(&fake.log);
    fake.on = false;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_intake),
    cmocka_unit_test(test_refresh),
};

UNIT(secret_intake, cases, NULL, NULL)
