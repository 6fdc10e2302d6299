#include "command/check_site.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#define TIMEOUT_S      6
#define CONNECT_S      4
#define LOOK_TIMEOUT_S 2

struct sites {
    struct http *http;
    struct site *first;
    void       (*done)(void *ctx, const struct site *site);
    void        *ctx;
};

struct sites *sites_new(struct http *http, void (*done)(void *ctx, const struct site *site), void *ctx)
{
    struct sites *sites = mem_alloc(sizeof(*sites));

    *sites = (struct sites){ .http = http, .done = done, .ctx = ctx };
    return sites;
}

void sites_free(struct sites *sites)
{
    struct site *site;

    while (sites && (site = sites->first)) {
        sites->first = site->next;
        free(site->base);
        free(site->url);
        free(site->ca_file);
        mem_free_secret(site->proxy);
        free(site);
    }
    free(sites);
}

static void site_done(struct site *site)
{
    site->found.done = true;
    site->sites->done(site->sites->ctx, site);
}

static void looked(void *ctx, const struct http_result *result)
{
    struct site *site = ctx;

    site->request = NULL;
    if (result->trace->issuer[0])
        memcpy(site->found.trace.issuer, result->trace->issuer, sizeof(site->found.trace.issuer));
    site_done(site);
}

/* Whose certificate is it? Mostly that of a proxy that opens TLS, and its name says which CA is missing. */
static void look_unverified(struct site *site)
{
    site->request = http_start(site->sites->http, &(struct http_spec){
        .url = site->url, .route = &site->route, .done = looked, .ctx = site, .timeout_s = LOOK_TIMEOUT_S,
        .connect_timeout_s = LOOK_TIMEOUT_S, .traced = true, .unverified = true });
}

static void answered(void *ctx, const struct http_result *result)
{
    struct site *site = ctx;

    site->request = NULL;
    site->found.trace = *result->trace;
    site->found.fault = result->fault == HTTP_CUT && result->status ? HTTP_DONE : result->fault;
    site->found.diagnosis = result->diagnosis;
    memcpy(site->found.reason, result->reason, sizeof(site->found.reason));
    if (result->date_ms) {
        site->has_clock = true;
        site->clock_offset_ms = result->date_ms - clock_wall_ms();
    }
    if (result->fault == HTTP_NO_TLS)
        look_unverified(site);
    else
        site_done(site);
}

static struct site *site_new(struct sites *sites, const char *base, const char *ca_file, const char *proxy)
{
    struct site *site = mem_alloc(sizeof(*site));

    site->sites = sites;
    site->base = mem_text(base);
    site->url = mem_format("%s/", base);
    site->ca_file = mem_text(ca_file);
    site->proxy = mem_text(proxy);
    site->route = (struct http_route){ .ca_file = site->ca_file, .proxy = site->proxy };
    site->found = (struct finding){
        .url = site->base, .proxied = proxy != NULL,
        .ca_file = !text_starts(base, "https:") ? NULL : ca_file ? site->ca_file : tls_ca_bundle() };
    site->next = sites->first;
    return sites->first = site;
}

struct site *sites_get(struct sites *sites, const char *base, const char *ca_file, const char *proxy)
{
    struct site *site;

    for (site = sites->first; site; site = site->next)
        if (text_same(site->base, base) && text_same(site->ca_file, ca_file) && text_same(site->proxy, proxy))
            return site;
    site = site_new(sites, base, ca_file, proxy);
    site->request = http_start(sites->http, &(struct http_spec){
        .url = site->url, .route = &site->route, .done = answered, .ctx = site, .timeout_s = TIMEOUT_S,
        .connect_timeout_s = CONNECT_S, .traced = true });
    return site;
}

bool site_failed(const struct site *site, struct err *err)
{
    struct buf text = BUF_INIT(sizeof(err->text));

    if (site->found.fault == HTTP_DONE)
        return false;
    buf_add_text(&text, site->found.reason);
    if (site->found.trace.issuer[0])
        buf_add_format(&text, "; the certificate shown was issued by '%s'", site->found.trace.issuer);
    diagnosis_add_advice(&text, site->found.diagnosis, NULL);
    err_set(err, ERR_RETRY, "%s", buf_text(&text));
    buf_free(&text);
    return true;
}
