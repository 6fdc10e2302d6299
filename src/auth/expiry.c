#include "auth/expiry.h"

#include <stdlib.h>
#include <string.h>

#include "auth/credential.h"
#include "auth/token_source.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/log_events.h"
#include "microsoft/app_ends.h"
#include "microsoft/refusal.h"

#define FIRST_MS  (60 * 1000)        /* others start, too */
#define EVERY_MS  (24 * 3600 * 1000) /* once a day */
#define AGAIN_MS  (3600 * 1000)      /* after a failure that passes */
#define TIMEOUT_S 30
#define URL_MOST  4096
#define BUCKETS   256

/* What is asked for. */
enum expiry_step { STEP_IDLE, STEP_OWNER, STEP_ENDS };

/* One client ID. */
struct app {
    struct app *next; /* in its bucket */
    struct expiries *expiries;
    struct principal *principal; /* of an input that works */
    char *graph, *resource, *api;
    char *home; /* GUID of the app's own tenant; NULL: not known yet */
    enum expiry_step step;
    struct token_source *source; /* of the step */
    struct listener *listeners;
    struct http_request *request;
    struct timer timer;
    struct app_ends found;        /* by the last look */
    char hint[APP_ENDS_HINT + 1]; /* of the secret that it found */
    int64_t warned_days;
};

/* A token source keeps its listeners for ever: one for each source that an app has used. */
struct listener {
    struct token_listener listener;
    struct token_source *source;
    struct listener *next;
};

struct expiries {
    struct loop *loop;
    struct http *http;
    struct app *apps[BUCKETS]; /* by client ID: each status line asks, and a thousand customers may have an app each */
};

struct expiries *expiries_new(struct loop *loop, struct http *http)
{
    struct expiries *expiries = mem_alloc(sizeof(*expiries));

    *expiries = (struct expiries){ .loop = loop, .http = http };
    return expiries;
}

static void app_free(struct app *app)
{
    struct listener *listener;

    timer_cancel(app->expiries->loop, &app->timer);
    if (app->request)
        http_cancel(app->request);
    while ((listener = app->listeners)) {
        app->listeners = listener->next;
        free(listener);
    }
    free(app->graph);
    free(app->resource);
    free(app->api);
    free(app->home);
    free(app);
}

void expiries_free(struct expiries *expiries)
{
    struct app *app;
    size_t i;

    if (!expiries)
        return;
    for (i = 0; i < BUCKETS; i++) {
        while ((app = expiries->apps[i])) {
            expiries->apps[i] = app->next;
            app_free(app);
        }
    }
    free(expiries);
}

/* The end of a look. */

static void rest(struct app *app, int64_t wait_ms)
{
    app->step = STEP_IDLE;
    app->source = NULL;
    timer_set(app->expiries->loop, &app->timer, clock_ms() + wait_ms);
}

/* Says that the dates are not known, and why; once a day, since no look follows sooner. */
static void give_up(struct app *app, const struct err *err)
{
    if (err->kind == ERR_RETRY) {
        rest(app, AGAIN_MS);
        return;
    }
    log_event(EVENT_EXPIRY_UNKNOWN, "client=%s home=%s why=%s", app->principal->client_id,
              app->home ? app->home : "unknown", QUOTED(err->text));
    rest(app, EVERY_MS);
}

static int64_t days_until(ticks end)
{
    ticks day = 86400 * TICKS_PER_SECOND, left = end - ticks_from_ms(clock_wall_ms());

    return left >= 0 ? left / day : -((-left + day - 1) / day);
}

static void warn(struct app *app)
{
    int64_t days = days_until(app->found.secret);
    char ends[TICKS_TEXT_MAX];

    if (!certificate_end_is_news(days, &app->warned_days))
        return;
    ticks_text_digits(app->found.secret, 0, ends);
    log_event(EVENT_SECRET_ENDS, "client=%s days=%lld ends=%s the client secret that is in use ends in %lld days",
              app->principal->client_id, (long long)days, ends, (long long)days);
}

/* Returns the first characters of the secret in use; NULL: a certificate is used, or the secret is too short. */
static const char *hint_of(const struct principal *principal)
{
    const char *secret = principal->certificate ? NULL : principal->client_secret;

    return secret && strlen(secret) >= APP_ENDS_HINT ? secret : NULL;
}

static void take_ends(struct app *app, const struct http_result *result)
{
    struct principal *principal = app->principal;
    const char *hint = hint_of(principal);
    const struct assertion_key *key = NULL;
    ticks before = app->found.secret;
    struct err err;

    if (principal->cert)
        key = certificate_key(principal->cert, &err);
    if (!app_ends_read(result->body, result->body_len, hint, key, ticks_from_ms(clock_wall_ms()), &app->found, &err)) {
        give_up(app, &err);
        return;
    }
    if (!app->found.has_secret && !app->found.has_certificate) {
        err_set(&err, ERR_INPUT,
                "no credential of the app registration that is valid is recognized as the one in use, "
                "by its first characters (hint) or its thumbprint");
        give_up(app, &err);
        return;
    }
    if (app->found.has_secret) {
        memcpy(app->hint, hint, APP_ENDS_HINT);
        app->warned_days = app->found.secret == before ? app->warned_days : 0;
        warn(app);
    }
    rest(app, EVERY_MS);
}

/* Answers. */

/* Returns true if the app may not read its own service principal, or there is none: the tenant itself is tried. */
static bool is_refusal(const struct http_result *result)
{
    return http_status_counts(result) && (result->status == 403 || result->status == 404 || result->status == 400);
}

static void answered(void *ctx, const struct http_result *result)
{
    struct app *app = ctx;
    enum expiry_step step = app->step;
    struct err err;

    app->request = NULL;
    if (step == STEP_OWNER && (is_refusal(result) || http_check(result, &err))) {
        app->home = is_refusal(result) ? NULL : app_ends_owner(result->body, result->body_len);
        app->step = STEP_ENDS;
        timer_set(app->expiries->loop, &app->timer, clock_ms());
    } else if (step == STEP_ENDS && http_check(result, &err)) {
        take_ends(app, result);
    } else if (is_refusal(result)) {
        refusal_set(result, result->status == 403 ? DIAGNOSIS_HTTP_403 : DIAGNOSIS_HTTP_4XX, APP_ENDS_PERMISSION, &err);
        give_up(app, &err);
    } else {
        http_check(result, &err);
        err.kind = ERR_RETRY;
        give_up(app, &err);
    }
}

static void send(struct app *app, const char *authorization)
{
    CLEANUP(buf_free) struct buf url = BUF_INIT(URL_MOST);

    if (app->step == STEP_OWNER)
        app_ends_owner_url(app->graph, app->principal->client_id, &url);
    else
        app_ends_url(app->graph, app->principal->client_id, &url);
    app->request = http_start(app->expiries->http, &(struct http_spec){ .url = buf_text(&url),
                                                                        .authorization = authorization,
                                                                        .route = &app->principal->route,
                                                                        .done = answered,
                                                                        .ctx = app,
                                                                        .timeout_s = TIMEOUT_S });
}

/* Tokens. */

static void go_on(struct app *app)
{
    struct token_view view;

    if (app->step == STEP_IDLE || app->request || !app->source)
        return;
    switch (token_source_ask(app->source, clock_ms(), &view)) {
    case TOKEN_BUSY: return;
    case TOKEN_FAILED: give_up(app, view.err); return;
    case TOKEN_READY: send(app, view.authorization); return;
    }
}

static void token_changed(void *ctx)
{
    go_on(ctx);
}

static void listen(struct app *app, struct token_source *source)
{
    struct listener *listener;

    for (listener = app->listeners; listener; listener = listener->next)
        if (listener->source == source)
            return;
    listener = mem_alloc(sizeof(*listener));
    *listener = (struct listener){ .listener = { .changed = token_changed, .ctx = app },
                                   .source = source,
                                   .next = app->listeners };
    app->listeners = listener;
    token_source_listen(source, &listener->listener);
}

static void ask(struct app *app, enum expiry_step step)
{
    struct principal *principal = app->principal;

    if (step == STEP_ENDS && app->home)
        principal = principal_in_tenant(principal, app->home);
    app->step = step;
    app->source = token_source_get(principal, app->resource, false, app->api);
    listen(app, app->source);
    go_on(app);
}

static void timer_fired(void *ctx, int64_t now_ms UNUSED)
{
    struct app *app = ctx;

    if (!principal_shows_own(app->principal))
        rest(app, EVERY_MS);
    else
        ask(app, app->step == STEP_ENDS || app->home ? STEP_ENDS : STEP_OWNER);
}

/* Apps. */

static size_t bucket_of(const struct principal *principal)
{
    const char *id = principal->client_id;
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return hash % BUCKETS;
}

static struct app *app_of(const struct expiries *expiries, const struct principal *principal)
{
    struct app *app = expiries ? expiries->apps[bucket_of(principal)] : NULL;

    for (; app; app = app->next)
        if (text_same(app->principal->client_id, principal->client_id) &&
            text_same(app->principal->login_url, principal->login_url))
            return app;
    return NULL;
}

void expiries_note(struct expiries *expiries, struct principal *principal, const struct expiry_place *place)
{
    struct app *app = app_of(expiries, principal), **bucket;

    if (!expiries || !principal_shows_own(principal))
        return;
    if (app) {
        if (!app->found.has_secret && !app->found.has_certificate &&
            app->step == STEP_IDLE) /* another customer's input, which works now */
            app->principal = principal;
        return;
    }
    app = mem_alloc(sizeof(*app));
    bucket = &expiries->apps[bucket_of(principal)];
    *app = (struct app){ .next = *bucket,
                         .expiries = expiries,
                         .principal = principal,
                         .graph = mem_text(place->graph),
                         .resource = mem_text(place->resource),
                         .api = mem_text(place->api) };
    app->timer = (struct timer){ .fire = timer_fired, .ctx = app };
    *bucket = app;
    timer_set(expiries->loop, &app->timer, clock_ms() + FIRST_MS);
}

bool expiries_secret_days(const struct expiries *expiries, const struct principal *principal, int64_t *ret)
{
    const char *hint = hint_of(principal);
    const struct app *app = hint ? app_of(expiries, principal) : NULL;

    if (!app || !app->found.has_secret || strncmp(app->hint, hint, APP_ENDS_HINT) != 0)
        return false;
    *ret = days_until(app->found.secret);
    return true;
}

bool expiries_certificate_days(const struct expiries *expiries, const struct principal *principal, int64_t *ret)
{
    const struct app *app = principal->certificate ? app_of(expiries, principal) : NULL;

    if (!app || !app->found.has_certificate || !text_same(principal->certificate, app->principal->certificate))
        return false;
    *ret = days_until(app->found.certificate);
    return true;
}
