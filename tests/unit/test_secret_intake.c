/* The way of plaintext secrets into the store. The store, the login service and the timers are replaced at link time
 * (UNIT_WRAPPED in the Makefile); each case is compared by the order of what happened. */
#include "auth/secret_intake.h"

#include <stdlib.h>

#include "auth/token_source_private.h"
#include "base/mem.h"
#include "base/text.h"
#include "check.h"
#include "fake_timer.h"
#include "splunk/stanza.h"

#define CLIENT  "client_secret.c"
#define REFRESH "refresh_token.t.c"
#define PROXY   "proxy_password.in"

static struct fake {
    bool        on;
    const char *stored_name, *stored_value;     /* one entry in the store */
    const char *stored_hosts;                   /* that it is bound to */
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

const char *__real_passwords_hosts(const struct passwords *passwords, const char *name);
const char *__wrap_passwords_hosts(const struct passwords *passwords, const char *name);
const char *__wrap_passwords_hosts(const struct passwords *passwords, const char *name)
{
    if (!fake.on)
        return __real_passwords_hosts(passwords, name);
    return text_same(name, fake.stored_name) ? fake.stored_hosts : NULL;
}

/* The store holds the last secret that it took. */
static void keep(const char *name, const char *value, const char *hosts)
{
    static char kept_name[100], kept_value[100], kept_hosts[200];

    snprintf(kept_name, sizeof(kept_name), "%s", name);
    snprintf(kept_value, sizeof(kept_value), "%s", value);
    snprintf(kept_hosts, sizeof(kept_hosts), "%s", hosts ? hosts : "");
    fake.stored_name = kept_name;
    fake.stored_value = kept_value;
    fake.stored_hosts = kept_hosts;
}

void __real_passwords_store(struct passwords *passwords, const char *name, const char *value, const char *hosts,
                            rest_done_fn *done, void *ctx);
void __wrap_passwords_store(struct passwords *passwords, const char *name, const char *value, const char *hosts,
                            rest_done_fn *done, void *ctx);
void __wrap_passwords_store(struct passwords *passwords, const char *name, const char *value, const char *hosts,
                            rest_done_fn *done, void *ctx)
{
    if (!fake.on) {
        __real_passwords_store(passwords, name, value, hosts, done, ctx);
        return;
    }
    note("store", name, value);
    if (hosts && *hosts)
        note("hosts", hosts, NULL);
    if (fake.answers[fake.calls > 0] == OK)
        keep(name, value, hosts);
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

void __real_token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri,
                                  const char *hosts, void (*done)(void *ctx, bool ok, const struct err *err), void *ctx);
void __wrap_token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri,
                                  const char *hosts, void (*done)(void *ctx, bool ok, const struct err *err), void *ctx);
void __wrap_token_source_exchange(struct token_source *source, const char *code, const char *redirect_uri,
                                  const char *hosts, void (*done)(void *ctx, bool ok, const struct err *err), void *ctx)
{
    if (!fake.on) {
        __real_token_source_exchange(source, code, redirect_uri, hosts, done, ctx);
        return;
    }
    note("exchange", code, redirect_uri);
    if (*hosts)
        note("hosts", hosts, NULL);
    answer(done, ctx);
}

void (*fake_timer_set)(struct timer *timer, int64_t due_ms);
void (*fake_timer_cancel)(struct timer *timer);

void __real_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms);
void __wrap_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms);
void __wrap_timer_set(struct loop *loop, struct timer *timer, int64_t due_ms)
{
    if (fake_timer_set)
        fake_timer_set(timer, due_ms);
    else if (fake.on)
        fake.timer = timer;
    else
        __real_timer_set(loop, timer, due_ms);
}

void __real_timer_cancel(struct loop *loop, struct timer *timer);
void __wrap_timer_cancel(struct loop *loop, struct timer *timer);
void __wrap_timer_cancel(struct loop *loop, struct timer *timer)
{
    if (fake_timer_cancel)
        fake_timer_cancel(timer);
    else if (!fake.on)
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

static void held(void *ctx UNUSED)
{
    note("held", secret_intake_held(fake.intake)->text, NULL);
}

static void done(void *ctx UNUSED, bool changed)
{
    note("done", changed ? "changed" : "same", NULL);
    secret_intake_mask(fake.intake);
}

struct row {
    const char *name;
    const char *proxy, *password, *secret, *refresh, *code;     /* of the stanza */
    const char *login, *api, *certificate;                      /* NULL: Microsoft's own; none */
    struct fake fake;
    const char *expected;
    const char *has_secret, *has_refresh;                       /* of the principal at the end */
    bool is_held, keeps_code;
};

#define EVIL                "https://evil"
#define REFUSED_SECRET      "the stored client_secret may go to "
#define AGAIN_SECRET(where) ". Our administrator: enter client_secret again in this input, or correct " where

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
      .expected = "store(" PROXY "=pw) hosts(http://h:1) proxy(pw) done(same) mask(proxy=http://u:********@h:1)" },
    { .name = "a stored password of a proxy", .proxy = "http://u@h:1",
      .fake = { .stored_name = PROXY, .stored_value = "pw", .stored_hosts = "http://h:1" },
      .expected = "proxy(pw) done(same)" },
    { .name = "a proxy's password that is stored already", .proxy = "http://u@h:1", .password = "pw",
      .fake = { .stored_name = PROXY, .stored_value = "pw", .stored_hosts = "http://h:1" },
      .expected = "proxy(pw) done(same) mask(proxy=http://u:********@h:1)" },
    { .name = "a stored password of another proxy", .proxy = "http://u@evil:1",
      .fake = { .stored_name = PROXY, .stored_value = "pw", .stored_hosts = "http://h:1" },
      .expected = "held(the stored password of the proxy may go to http://h:1, not to http://u@evil:1. Our "
                  "administrator: enter proxy again in this input, with its password, or correct its address)",
      .is_held = true },
    { .name = "a stored password that knows no proxy", .proxy = "http://u@h:1",
      .fake = { .stored_name = PROXY, .stored_value = "pw" },
      .expected = "held(the stored password of the proxy may go to no proxy yet, not to http://u@h:1. Our "
                  "administrator: enter proxy again in this input, with its password, or correct its address)",
      .is_held = true },
    { .name = "a password entered again for another proxy", .proxy = "http://u@new:1", .password = "pw",
      .fake = { .stored_name = PROXY, .stored_value = "pw", .stored_hosts = "http://h:1" },
      .expected = "store(" PROXY "=pw) hosts(http://new:1) proxy(pw) done(same) mask(proxy=http://u:********@new:1)" },
    { .name = "a stored client secret and a foreign sign-in host", .login = EVIL,
      .fake = { .stored_name = CLIENT, .stored_value = "old" },
      .expected = "proxy(-) held(" REFUSED_SECRET "only Microsoft's own hosts, not to " EVIL " (login_url)"
                  AGAIN_SECRET("login_url") ")", .is_held = true },
    { .name = "a stored client secret and a foreign API host", .api = EVIL,
      .fake = { .stored_name = CLIENT, .stored_value = "old", .stored_hosts = "https://l https://a:8443" },
      .expected = "proxy(-) held(" REFUSED_SECRET "only Microsoft's own hosts and https://l https://a:8443, not to "
                  EVIL " (api_url)" AGAIN_SECRET("api_url") ")", .is_held = true },
    { .name = "a stored client secret that is bound to both", .login = "https://L:443", .api = "https://a:8443/",
      .fake = { .stored_name = CLIENT, .stored_value = "old", .stored_hosts = "https://l https://a:8443" },
      .expected = "proxy(-) done(same)", .has_secret = "old" },
    { .name = "a client secret entered with foreign hosts", .secret = "new", .login = "https://l", .api = "https://a",
      .expected = "proxy(-) store(" CLIENT "=new) hosts(https://l https://a) import(client_secret=new) done(changed) "
                  "mask(client_secret=********)", .has_secret = "new" },
    { .name = "entered again, for other hosts", .secret = "new", .login = "https://l",
      .fake = { .stored_name = CLIENT, .stored_value = "new", .imported = "new" },
      .expected = "proxy(-) store(" CLIENT "=new) hosts(https://l) import(client_secret=new) done(changed) "
                  "mask(client_secret=********)", .has_secret = "new" },
    { .name = "imported before, and replaced since: bound to nothing here", .secret = "new", .login = EVIL,
      .fake = { .stored_name = CLIENT, .stored_value = "newer", .imported = "new" },
      .expected = "proxy(-) mask(client_secret=********) held(" REFUSED_SECRET "only Microsoft's own hosts, not to "
                  EVIL " (login_url)" AGAIN_SECRET("login_url") ")", .is_held = true },
    { .name = "a stored refresh token and a foreign sign-in host", .login = EVIL,
      .fake = { .stored_name = REFRESH, .stored_value = "old" },
      .expected = "proxy(-) held(the stored refresh_token may go to only Microsoft's own hosts, not to " EVIL
                  " (login_url). Our administrator: enter refresh_token again in this input, or correct login_url)",
      .is_held = true },
    { .name = "a stored refresh token, and a code for a foreign sign-in host", .login = EVIL, .code = "k",
      .fake = { .stored_name = REFRESH, .stored_value = "old" },
      .expected = "proxy(-) held(the stored refresh_token may go to only Microsoft's own hosts, not to " EVIL
                  " (login_url). Our administrator: enter refresh_token again in this input, or correct login_url)",
      .is_held = true, .keeps_code = true },
    { .name = "a stored refresh token, a foreign API host, and a code that is refused", .api = EVIL, .code = "k",
      .fake = { .stored_name = REFRESH, .stored_value = "old", .answers = { REFUSED } },
      .expected = "proxy(-) exchange(k=https://x) hosts(" EVIL ") import(authorization_code=k) "
                  "mask(authorization_code=) held(the stored refresh_token may go to only Microsoft's own hosts, not "
                  "to " EVIL " (api_url). Our administrator: enter refresh_token again in this input, or correct "
                  "api_url)", .is_held = true },
    { .name = "a code in place of a stored refresh token, at Microsoft", .code = "k",
      .fake = { .stored_name = REFRESH, .stored_value = "old" },
      .expected = "proxy(-) exchange(k=https://x) import(authorization_code=k) done(changed) "
                  "mask(authorization_code=)", .has_refresh = "old" },
    { .name = "a stored client secret, and a code for a foreign host", .login = EVIL, .code = "k",
      .fake = { .stored_name = CLIENT, .stored_value = "old" },
      .expected = "proxy(-) held(" REFUSED_SECRET "only Microsoft's own hosts, not to " EVIL " (login_url)"
                  AGAIN_SECRET("login_url") ")", .is_held = true, .keeps_code = true },
    { .name = "a certificate, its tokens for a foreign API host", .certificate = "/c.pem", .api = EVIL,
      .expected = "proxy(-) held(tokens that come by client_certificate may go to only Microsoft's own hosts, not to "
                  EVIL " (api_url). Our administrator: correct api_url, or use a client secret, which is bound to it "
                  "when it is entered)", .is_held = true },
    { .name = "a certificate, all hosts foreign", .certificate = "/c.pem", .login = EVIL, .api = EVIL,
      .fake = { .stored_name = CLIENT, .stored_value = "not used" }, .expected = "proxy(-) done(same)" },
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
      .expected = "store(" PROXY "=pw) hosts(http://h:1) proxy(pw) store(" CLIENT "=s) import(client_secret=s) "
                  "store(" REFRESH "=r) import(refresh_token=r) exchange(k=https://x) import(authorization_code=k) "
                  "done(changed) mask(proxy=http://u:********@h:1) mask(client_secret=********) "
                  "mask(refresh_token=********) mask(authorization_code=)", .has_secret = "s", .has_refresh = "r" }
};

static struct destination to_of(const char *login, const char *api)
{
    return (struct destination){ login ? login : "https://login.microsoftonline.com",
                                 api ? api : "https://graph.microsoft.com", "https://graph.microsoft.com" };
}

static void play(const struct row *row)
{
    struct principals *principals = principals_new(NULL, NULL, NULL, NULL, NULL, NULL);
    struct input input = {
        .name = mem_text("in"), .app = mem_text("search"), .tenant_id = mem_text("t"), .client_id = mem_text("c"),
        .redirect_uri = mem_text("https://x"), .proxy = mem_text(row->proxy), .proxy_password = mem_text(row->password),
        .client_secret = mem_text(row->secret), .refresh_token = mem_text(row->refresh),
        .authorization_code = mem_text(row->code), .client_certificate = mem_text(row->certificate) };
    struct timer *timer;

    fake = row->fake;
    fake.on = true;
    fake.log = (struct buf)BUF_INIT(4096);
    fake.principal = principal_get(principals, &(struct principal_spec){
        .tenant_id = "t", .client_id = "c", .login_url = "https://l", .route = &(struct http_route){ .proxy = NULL } });
    fake.intake = secret_intake_new(&(struct secret_intake_spec){
        .input = &input, .label = "in", .to = to_of(row->login, row->api) },
        &(struct secret_intake_owner){ .imported = imported, .import = import, .use_proxy = use_proxy,
                                       .principal = principal, .waits = waits, .held = held, .done = done });
    secret_intake_start(fake.intake);
    while ((timer = fake.timer)) {
        fake.timer = NULL;
        timer->fire(timer->ctx, 0);
    }
    CHECK(text_same(buf_text(&fake.log), row->expected), "%s:\n  got  %s\n  want %s", row->name, buf_text(&fake.log),
          row->expected);
    CHECK(text_same(fake.principal->client_secret, row->has_secret), "%s", row->name);
    CHECK(text_same(fake.principal->refresh_token, row->has_refresh), "%s", row->name);
    CHECK(!input.proxy_password && !input.client_secret && !input.refresh_token &&
          !input.authorization_code == !row->keeps_code, "%s: plaintext is left", row->name);
    CHECK(!secret_intake_held(fake.intake) == !row->is_held, "%s: held", row->name);
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
    fake.intake = secret_intake_new(&(struct secret_intake_spec){ .input = &input, .label = "in", .to = to_of(NULL, NULL) },
        &(struct secret_intake_owner){ .imported = imported, .import = import, .use_proxy = use_proxy,
                                       .principal = principal, .waits = waits, .held = held, .done = done });
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

/* A secret that is held is used once somebody has entered it for these hosts; another one is not handed over. */
static void test_held(void **state UNUSED)
{
    struct principals *principals = principals_new(NULL, NULL, NULL, NULL, NULL, NULL);
    struct input input = { .name = mem_text("in"), .tenant_id = mem_text("t"), .client_id = mem_text("c") };

    fake = (struct fake){ .on = true, .log = BUF_INIT(4096), .stored_name = CLIENT, .stored_value = "old" };
    fake.principal = principal_get(principals, &(struct principal_spec){
        .tenant_id = "t", .client_id = "c", .login_url = "https://l", .route = &(struct http_route){ .proxy = NULL } });
    fake.intake = secret_intake_new(&(struct secret_intake_spec){ .input = &input, .label = "in",
                                                                  .to = to_of("https://l", NULL) },
        &(struct secret_intake_owner){ .imported = imported, .import = import, .use_proxy = use_proxy,
                                       .principal = principal, .waits = waits, .held = held, .done = done });
    secret_intake_start(fake.intake);
    CHECK(secret_intake_held(fake.intake) && !fake.principal->client_secret, "used although it is not bound");
    secret_intake_refresh(fake.intake);
    CHECK(secret_intake_held(fake.intake) && !fake.principal->client_secret, "used although nothing has changed");
    fake.stored_hosts = "https://l";
    secret_intake_refresh(fake.intake);
    CHECK(!secret_intake_held(fake.intake), "still held");
    CHECK_TEXT(fake.principal->client_secret, "old");
    CHECK(strstr(buf_text(&fake.log), "done(same)"), "%s", buf_text(&fake.log));
    fake.stored_value = "another";
    fake.stored_hosts = "https://elsewhere";
    secret_intake_refresh(fake.intake);
    CHECK_TEXT(fake.principal->client_secret, "old");
    secret_intake_free(fake.intake);
    principals_free(principals);
    input_free(&input);
    buf_free(&fake.log);
    fake.on = false;
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(test_intake),
    cmocka_unit_test(test_held),
    cmocka_unit_test(test_refresh),
};

UNIT(secret_intake, cases, NULL, NULL)
