#include "command/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "collect/account.h"
#include "collect/verdict.h"
#include "command/check_report.h"
#include "command/options.h"
#include "splunk/config.h"
#include "splunk/proxy.h"

#define ROW_MOST_MS      9500       /* ten seconds an input at most */
#define STORE_MOST_MS    5000
#define SITE_TIMEOUT_S   6
#define SITE_CONNECT_S   4
#define LOOK_TIMEOUT_S   2
#define PAGE_TIMEOUT_S   8
#define ROWS_AT_ONCE     50
#define REQUESTS_MOST    64
#define PROGRESS_MS      200
#define PAGE_TOP         100
#define PAGE_OUT_MAX     (256u * 1024 * 1024)

/* How far back the newest alert is looked for, in hours: most tenants need one request. */
static const int windows_h[] = { 1, 24, 30 * 24 };

struct check;

/* A service by one way; tried once. */
struct site {
    struct site        *next;
    struct check       *check;
    char               *base, *url, *ca_file, *proxy;   /* proxy is secret */
    struct http_route   route;
    struct http_request *request;
    struct finding      found;
    int64_t             clock_offset_ms;
    bool                has_clock;
};

/* Has Splunk's store shown that it takes this refresh token? */
struct proof {
    struct proof *next;
    struct check *check;
    char         *name;
    bool          done, ok;
    struct err    err;
};

struct row {
    struct check      *check;
    char              *label;
    struct input       input;
    const struct api  *api;
    char              *base, *resource, *login_url;
    struct site       *login, *service;
    struct account    *account;
    struct access     *access;
    struct access_listener listener;
    bool               begun, finished, has_account;
    struct timer       deadline;
    struct http_request *request;
    struct page       *page;
    struct page_handler handler;
    struct buf         out;
    size_t             window;
    int                form;
    struct outcome     outcome;
};

struct check {
    struct loop     *loop;
    struct http     *http;
    struct gate     *gate;
    struct splunkd  *splunkd;
    struct accounts *accounts;
    bool             store_read, store_known, rows_begun;
    struct err       store_err;
    struct timer     store_timer, progress_timer;
    bool             progress, progress_shown;
    struct site     *sites;
    struct proof    *proofs;
    struct row      *rows;
    size_t           count, next, running, finished;
};

static void row_step(struct row *row);
static void rows_begin(struct check *check);

/* Ends of rows. */

static void row_finish(struct row *row, enum check_result result)
{
    struct check *check = row->check;

    row->finished = true;
    row->outcome.result = result;
    timer_cancel(check->loop, &row->deadline);
    if (row->request)
        http_cancel(row->request);
    row->request = NULL;
    check->running--;
    if (++check->finished == check->count)
        loop_stop(check->loop);
    else
        rows_begin(check);
}

static void row_fail(struct row *row, enum check_result result, const struct err *err)
{
    row->outcome.err = *err;
    row_finish(row, result);
}

static void deadline_fire(void *ctx, int64_t now_ms UNUSED)
{
    struct row *row = ctx;
    const char *what = !row->login->found.done || !row->service->found.done ? "the connection to"
                       : !row->outcome.has_token ? "a token from" : "alerts from";
    const char *who = row->outcome.has_token || !row->service->found.done ? row->base : row->login_url;
    struct err err;

    err_set(&err, ERR_RETRY, "no answer within 10 s, waiting for %s %s", what, who);
    row_fail(row, CHECK_FAILING, &err);
}

/* Services. */

static void site_done(struct site *site)
{
    struct check *check = site->check;
    size_t i;

    site->found.done = true;
    for (i = 0; i < check->count; i++)
        if (check->rows[i].begun && (check->rows[i].login == site || check->rows[i].service == site))
            row_step(&check->rows[i]);
}

static void site_looked(void *ctx, const struct http_result *result)
{
    struct site *site = ctx;

    site->request = NULL;
    if (result->trace->issuer[0])
        memcpy(site->found.trace.issuer, result->trace->issuer, sizeof(site->found.trace.issuer));
    site_done(site);
}

static void site_answered(void *ctx, const struct http_result *result)
{
    struct site *site = ctx;

    site->request = NULL;
    site->found.trace = *result->trace;
    site->found.fault = result->fault == HTTP_CUT && result->status ? HTTP_DONE : result->fault;
    site->found.trouble = result->trouble;
    memcpy(site->found.reason, result->reason, sizeof(site->found.reason));
    if (result->date_ms) {
        site->has_clock = true;
        site->clock_offset_ms = result->date_ms - clock_wall_ms();
    }
    if (result->fault != HTTP_NO_TLS) {
        site_done(site);
        return;
    }
    /* Whose certificate is it? Mostly that of a proxy that opens TLS, and its name says which CA is missing. */
    site->request = http_start(site->check->http, &(struct http_spec){
        .url = site->url, .route = &site->route, .done = site_looked, .ctx = site, .timeout_s = LOOK_TIMEOUT_S,
        .connect_timeout_s = LOOK_TIMEOUT_S, .traced = true, .unverified = true });
}

static struct site *site_get(struct check *check, const char *base, const struct row *row, const char *proxy)
{
    const char *ca_file = row->input.ca_file;
    struct site *site;

    for (site = check->sites; site; site = site->next)
        if (text_same(site->base, base) && text_same(site->ca_file, ca_file) && text_same(site->proxy, proxy))
            return site;
    site = mem_alloc(sizeof(*site));
    site->check = check;
    site->base = mem_text(base);
    site->url = mem_format("%s/", base);
    site->ca_file = mem_text(ca_file);
    site->proxy = mem_text(proxy);
    site->route = (struct http_route){ .ca_file = site->ca_file, .proxy = site->proxy };
    site->found = (struct finding){
        .url = site->base, .proxied = proxy != NULL,
        .ca_file = !text_starts(base, "https:") ? NULL : ca_file ? site->ca_file : tls_ca_bundle() };
    site->next = check->sites;
    check->sites = site;
    site->request = http_start(check->http, &(struct http_spec){
        .url = site->url, .route = &site->route, .done = site_answered, .ctx = site, .timeout_s = SITE_TIMEOUT_S,
        .connect_timeout_s = SITE_CONNECT_S, .traced = true });
    return site;
}

static bool sites_passed(struct row *row)
{
    const struct site *failed = row->login->found.fault != HTTP_DONE ? row->login : row->service;
    struct buf text = BUF_INIT(sizeof(((struct err *)0)->text));
    struct err err;

    if (failed->found.fault == HTTP_DONE)
        return true;
    buf_add_text(&text, failed->found.reason);
    if (failed->found.trace.issuer[0])
        buf_add_format(&text, "; the certificate shown was issued by '%s'", failed->found.trace.issuer);
    trouble_add_advice(&text, failed->found.trouble, NULL);
    err_set(&err, ERR_RETRY, "%s", buf_text(&text));
    buf_free(&text);
    row_fail(row, CHECK_UNREACHABLE, &err);
    return false;
}

/* The newest alert. */

static void page_record(void *ctx, struct buf *out, const struct page_record *record)
{
    struct row *row = ctx;

    out->len = record->start;
    if (record->has_time && (!row->outcome.has_newest || record->time > row->outcome.newest)) {
        row->outcome.has_newest = true;
        row->outcome.newest = record->time;
    }
}

static void page_bad(void *ctx UNUSED, size_t ordinal UNUSED, uint64_t offset UNUSED, const char *why UNUSED)
{
}

static bool page_ready(void *ctx UNUSED)
{
    return true;
}

static bool page_data(void *ctx, const char *bytes, size_t len)
{
    struct row *row = ctx;

    return page_feed(row->page, bytes, len, &row->out);
}

static void page_answered(void *ctx, const struct http_result *result);

static ticks service_now(const struct row *row)
{
    return ticks_from_ms(clock_wall_ms() + (row->outcome.has_clock ? row->outcome.clock_offset_ms : 0));
}

static void ask_page(struct row *row, const char *authorization)
{
    static const struct http_sink sink = { .ready = page_ready, .data = page_data };
    struct api_query query = {
        .base = row->base, .lo = ticks_back(service_now(row), windows_h[row->window] * INT64_C(3600)),
        .hi = TICKS_OPEN, .form = row->form, .filter = row->input.filter, .top = row->api->top };
    struct buf url = BUF_INIT(65536);

    if (query.top > PAGE_TOP)
        query.top = PAGE_TOP;
    page_free(row->page);
    buf_clear(&row->out);
    row->page = page_new(&row->api->shape, &row->handler);
    row->api->url(&query, &url);
    row->request = http_start(row->check->http, &(struct http_spec){
        .url = buf_text(&url), .authorization = authorization, .headers = row->api->headers,
        .route = &row->service->route, .sink = &sink, .done = page_answered, .ctx = row, .timeout_s = PAGE_TIMEOUT_S });
    buf_free(&url);
}

static enum trouble trouble_of_refusal(const struct row *row, const struct http_result *result)
{
    switch (result->status) {
    case 400: return row->input.filter ? TROUBLE_HTTP_400_FILTER : TROUBLE_HTTP_400;
    case 401: return TROUBLE_HTTP_401;
    case 403: return row->outcome.lacks_permission ? TROUBLE_PERMISSION : TROUBLE_HTTP_403;
    default: return TROUBLE_HTTP_4XX;
    }
}

static void page_refused(struct row *row, const struct http_result *result)
{
    struct err err;

    verdict_refuse(result, trouble_of_refusal(row, result), result->status == 403 ? row->api->permission : NULL, &err);
    row_fail(row, CHECK_REFUSED, &err);
}

static void page_answered(void *ctx, const struct http_result *result)
{
    struct row *row = ctx;
    struct err err;

    row->request = NULL;
    if (result->fault == HTTP_DONE && result->status == 400 && row->form + 1 < row->api->forms) {
        row->form++;
        row_step(row);
        return;
    }
    if (result->fault == HTTP_DONE && result->status >= 400 && result->status < 500 && result->status != 429 &&
        result->status != 408 && result->status != 407) {
        page_refused(row, result);
        return;
    }
    if (result->fault == HTTP_STOPPED || http_check(result, &err)) {
        if (!page_end(row->page, &err)) {
            err_prefix(&err, "the answer with the alerts cannot be read");
            row_fail(row, CHECK_FAILING, &err);
            return;
        }
        row->outcome.looked_back_h = windows_h[row->window];
        row->outcome.lacks_permission = false;      /* the service is the judge */
        row->outcome.service_now = service_now(row);
        if (row->outcome.has_newest || ++row->window == COUNT_OF(windows_h))
            row_finish(row, CHECK_OK);
        else
            row_step(row);
        return;
    }
    row_fail(row, CHECK_FAILING, &err);
}

/* Tokens. */

static void proof_done(void *ctx, bool ok, const struct err *err)
{
    struct proof *proof = ctx;
    size_t i;

    proof->done = true;
    proof->ok = ok;
    if (!ok)
        proof->err = *err;
    for (i = 0; i < proof->check->count; i++)
        if (proof->check->rows[i].begun)
            row_step(&proof->check->rows[i]);
}

/* Writes the stored refresh token over itself: a store that takes this takes the next one. */
static struct proof *proof_get(struct check *check, const char *name, const char *value)
{
    struct proof *proof;

    for (proof = check->proofs; proof; proof = proof->next)
        if (text_same(proof->name, name))
            return proof;
    proof = mem_alloc(sizeof(*proof));
    proof->check = check;
    proof->name = mem_text(name);
    proof->next = check->proofs;
    check->proofs = proof;
    splunkd_store_secret(check->splunkd, name, value, proof_done, proof);
    return proof;
}

static bool not_tried(struct row *row, const char *why)
{
    struct err err;

    err_set(&err, ERR_AUTH, "the sign-in was not tried: %s", why);
    row_fail(row, CHECK_NOT_TRIED, &err);
    return false;
}

/* The stored refresh token, once it may be used. False: not yet, or the row has ended. */
static bool refresh_ready(struct row *row, bool *delegated)
{
    struct check *check = row->check;
    CLEANUP(mem_freep) char *name = secret_name_refresh(row->input.tenant_id, row->input.client_id);
    const char *stored = check->store_known ? splunkd_secret(check->splunkd, name) : NULL;
    struct proof *proof;
    char why[600];

    *delegated = false;
    if (!stored && row->input.refresh_token)
        return not_tried(row, "the refresh token still stands in inputs.conf, and its successor would have no place; "
                         "the running input moves it to Splunk's password store first");
    if (!stored)
        return true;
    proof = proof_get(check, name, stored);
    if (!proof->done)
        return false;
    if (!proof->ok) {
        snprintf(why, sizeof(why), "a refresh token is stored, but its successor could not be: %s", proof->err.text);
        return not_tried(row, why);
    }
    account_set_refresh_token(row->account, splunkd_secret(check->splunkd, name));
    return *delegated = true;
}

static void changed(void *ctx)
{
    row_step(ctx);
}

/* Gives the account its credentials. False: not yet, or the row has ended. */
static bool account_ready(struct row *row)
{
    struct check *check = row->check;
    CLEANUP(mem_freep) char *name = secret_name_client(row->input.client_id);
    const char *secret = row->input.client_secret;
    bool delegated;

    if (row->has_account)
        return true;
    if (!row->account) {
        row->account = account_get(check->accounts, &(struct account_spec){
            .tenant_id = row->input.tenant_id, .client_id = row->input.client_id, .login_url = row->login_url,
            .certificate = row->input.client_certificate, .route = &row->login->route });
        if (!secret && check->store_known)
            secret = splunkd_secret(check->splunkd, name);
        if (secret)
            account_set_secret(row->account, secret);
        row->access = access_get(row->account, row->resource, row->api->v1_token);
        row->listener = (struct access_listener){ .changed = changed, .ctx = row };
        access_listen(row->access, &row->listener);
    }
    if (!refresh_ready(row, &delegated))
        return false;
    if (!delegated && !row->input.client_secret && !row->input.client_certificate && !check->store_known)
        return not_tried(row, check->store_err.text);
    return row->has_account = true;
}

static void take_token(struct row *row, const struct access_view *view)
{
    if (!row->outcome.has_token) {
        row->outcome.has_token = true;
        claims_read(view->authorization, &row->outcome.claims);
        row->outcome.lacks_permission = row->api->permissions && row->outcome.claims.readable &&
                                        !claims_hold(&row->outcome.claims, row->api->permissions);
    }
    row->outcome.has_days = account_certificate_days(row->account, &row->outcome.certificate_days);
}

static void row_step(struct row *row)
{
    struct access_view view;

    if (row->finished || row->request || !row->login->found.done || !row->service->found.done)
        return;
    if (row->service->has_clock || row->login->has_clock) {
        row->outcome.has_clock = true;
        row->outcome.clock_offset_ms = row->service->has_clock ? row->service->clock_offset_ms
                                                               : row->login->clock_offset_ms;
    }
    if (!sites_passed(row) || !account_ready(row))
        return;
    switch (access_ask(row->access, clock_ms(), &view)) {
    case ACCESS_BUSY:
        return;
    case ACCESS_FAILED:
        row_fail(row, view.err->kind == ERR_AUTH ? CHECK_REFUSED : CHECK_FAILING, view.err);
        return;
    case ACCESS_READY:
        take_token(row, &view);
        ask_page(row, view.authorization);
        return;
    }
}

/* Rows. */

static void row_begin(struct row *row)
{
    struct check *check = row->check;
    const struct input *input = &row->input;
    CLEANUP(mem_freep) char *name = secret_name_proxy(input->name);
    const char *password = input->proxy_password;
    CLEANUP(mem_free_secretp) char *proxy = NULL;

    check->running++;
    row->begun = true;
    if (!password && check->store_known)
        password = splunkd_secret(check->splunkd, name);
    proxy = input->proxy ? proxy_with_password(input->proxy, password) : NULL;
    row->login = site_get(check, row->login_url, row, proxy);
    row->service = site_get(check, row->base, row, proxy);
    row->outcome.login = &row->login->found;
    row->outcome.service = &row->service->found;
    timer_set(check->loop, &row->deadline, clock_ms() + ROW_MOST_MS);
    row_step(row);
}

static void rows_begin(struct check *check)
{
    if (!check->rows_begun)
        return;
    while (check->next < check->count && check->running < ROWS_AT_ONCE) {
        struct row *row = &check->rows[check->next++];

        if (!row->finished)
            row_begin(row);
    }
}

static char *without_slash(const char *url)
{
    size_t len = strlen(url);

    return mem_text_n(url, len && url[len - 1] == '/' ? len - 1 : len);
}

static void row_fill(struct row *row, const struct raw_stanza *stanza)
{
    struct input *input = &row->input;
    const char *slashes = strstr(stanza->name, "://");

    row->label = mem_text(slashes ? slashes + 3 : stanza->name);
    row->outcome.input = row->label;
    row->deadline = (struct timer){ .fire = deadline_fire, .ctx = row };
    row->handler = (struct page_handler){ .record = page_record, .bad = page_bad, .ctx = row };
    row->out = BUF_INIT(PAGE_OUT_MAX);
    if (!input_from_stanza(stanza, true, input, &row->outcome.err)) {
        row->finished = true;
        row->outcome.result = CHECK_BAD_INPUT;
        return;
    }
    row->api = api_at(input->api);
    row->login_url = without_slash(input->login_url ? input->login_url : login_host(input->cloud));
    row->base = without_slash(input->api_url ? input->api_url : row->api->host[input->cloud]);
    row->resource = mem_text(input->resource ? input->resource : row->api->resource[input->cloud]);
    row->outcome.tenant_id = input->tenant_id;
    row->outcome.client_id = input->client_id;
    row->outcome.api = row->api->name;
    row->outcome.permission = row->api->permission;
}

static bool is_wanted(const struct raw_stanza *stanza, const char *only)
{
    const char *slashes = strstr(stanza->name, "://");

    return !only || text_same(only, stanza->name) || (slashes && text_same(only, slashes + 3));
}

static void rows_fill(struct check *check, const struct config *config, const char *only)
{
    size_t i;

    check->rows = mem_alloc((config->count + 1) * sizeof(*check->rows));
    for (i = 0; i < config->count; i++) {
        if (!is_wanted(&config->stanzas[i], only) || stanza_is_disabled(&config->stanzas[i]))
            continue;
        check->rows[check->count].check = check;
        row_fill(&check->rows[check->count], &config->stanzas[i]);
        check->finished += check->rows[check->count].finished;
        check->count++;
    }
}

/* The store. */

static void store_read(void *ctx, bool ok, const struct err *err)
{
    struct check *check = ctx;

    if (check->store_read)
        return;
    check->store_read = true;
    timer_cancel(check->loop, &check->store_timer);
    check->store_known = ok;
    if (!ok)
        err_set(&check->store_err, err->kind, "Splunk's password store could not be read: %s", err->text);
    check->rows_begun = true;
    rows_begin(check);
}

static void store_late(void *ctx, int64_t now_ms UNUSED)
{
    struct err err;

    err_set(&err, ERR_RETRY, "splunkd did not answer within %d s", STORE_MOST_MS / 1000);
    store_read(ctx, false, &err);
}

static void read_store(struct check *check, const struct config *config)
{
    struct err err;

    if (text_empty(config->session_key) || text_empty(config->server_uri)) {
        err_set(&err, ERR_INPUT, "the XML on stdin holds no session key");
        store_read(check, false, &err);
        return;
    }
    timer_set(check->loop, &check->store_timer, clock_ms() + STORE_MOST_MS);
    splunkd_load_secrets(check->splunkd, store_read, check);
}

/* The whole. */

static void progress_fire(void *ctx, int64_t now_ms)
{
    struct check *check = ctx;

    fprintf(stderr, "\r%zu of %zu inputs tried", check->finished, check->count);
    check->progress_shown = true;
    timer_set(check->loop, &check->progress_timer, now_ms + PROGRESS_MS);
}

static void session_lost(void *ctx UNUSED)
{
}

static void try_all(struct check *check, const struct config *config)
{
    check->loop = loop_new();
    check->http = http_new(check->loop);
    check->gate = gate_new(check->loop, REQUESTS_MOST);
    check->splunkd = splunkd_new(check->loop, check->http, config, getenv("SPLUNK_HOME"));
    check->accounts = accounts_new(check->loop, check->http, check->gate, check->splunkd, session_lost, check);
    check->store_timer = (struct timer){ .fire = store_late, .ctx = check };
    check->progress_timer = (struct timer){ .fire = progress_fire, .ctx = check };
    if (check->progress)
        timer_set(check->loop, &check->progress_timer, clock_ms() + PROGRESS_MS);
    read_store(check, config);
    loop_run(check->loop);
    if (check->progress_shown)
        fputs("\r\033[K", stderr);
}

static void check_free(struct check *check)
{
    struct site *site;
    struct proof *proof;
    size_t i;

    for (i = 0; i < check->count; i++) {
        struct row *row = &check->rows[i];

        page_free(row->page);
        buf_free(&row->out);
        claims_release(&row->outcome.claims);
        input_free(&row->input);
        free(row->label);
        free(row->base);
        free(row->resource);
        free(row->login_url);
    }
    free(check->rows);
    accounts_free(check->accounts);
    splunkd_free(check->splunkd);
    http_free(check->http);
    gate_free(check->gate);
    loop_free(check->loop);
    while ((site = check->sites)) {
        check->sites = site->next;
        free(site->base);
        free(site->url);
        free(site->ca_file);
        mem_free_secret(site->proxy);
        free(site);
    }
    while ((proof = check->proofs)) {
        check->proofs = proof->next;
        free(proof->name);
        free(proof);
    }
}

static int report(const struct check *check, bool as_json)
{
    const struct outcome **rows = mem_alloc((check->count + 1) * sizeof(const struct outcome *));
    size_t i, good = 0;

    for (i = 0; i < check->count; i++) {
        rows[i] = &check->rows[i].outcome;
        good += rows[i]->result == CHECK_OK;
    }
    if (as_json)
        report_json(rows, check->count, stdout);
    else if (check->count)
        report_table(rows, check->count, isatty(STDOUT_FILENO) && text_empty(getenv("NO_COLOR")), stdout);
    else
        puts("There is no enabled input.");
    free(rows);
    return fflush(stdout) == 0 && good == check->count ? 0 : 1;
}

static const char usage[] =
    "usage: splunk cmd splunkd print-modinput-config defender_alerts | defender_alerts check [--input NAME] [--json]\n"
    "Tries every input once: name lookup, connection or proxy, TLS, token, permission, newest alert.\n"
    "Writes nothing to an index and no checkpoint. Exit status 0: all are good; 1: some are not.\n";

int check_run(int argc, char **argv)
{
    const char *only = NULL;
    bool as_json = false;
    const struct option_spec specs[] = {
        { "--input", &only, NULL, "NAME", "only the input of this name" },
        { "--json", NULL, &as_json, NULL, "the findings as JSON" }
    };
    struct check check = { .progress = isatty(STDERR_FILENO) };
    struct config config;
    struct err err;
    int status = 1;

    if (options_want_help(argc, argv)) {
        options_print(usage, specs, COUNT_OF(specs));
        return 0;
    }
    if (!options_read(specs, COUNT_OF(specs), argc, argv, &err)) {
        log_error("%s", err.text);
        return 1;
    }
    if (isatty(STDIN_FILENO))
        fputs("Waiting for the inputs' XML on stdin; see 'defender_alerts check --help'.\n", stderr);
    if (!config_read(STDIN_FILENO, CONFIG_INPUT, &config, &err)) {
        log_error("%s", err.text);
        return 1;
    }
    log_set_level(LOG_ERROR);       /* the table says it all */
    rows_fill(&check, &config, only);
    if (check.finished < check.count)
        try_all(&check, &config);
    if (only && !check.count)
        log_error("there is no enabled input '%.200s' in the XML on stdin", only);
    else
        status = report(&check, as_json);
    check_free(&check);
    config_free(&config);
    return status;
}
