/* The findings of `check` as JSON. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/check_report.h"

#define TEXT_MAX (64u * 1024 * 1024)

static void add_member(struct buf *out, const char *name, const char *text)
{
    buf_add_format(out, ",\"%s\":", name);
    if (text)
        buf_add_json(out, text);
    else
        buf_add_text(out, "null");
}

static void add_number(struct buf *out, const char *name, bool has, int64_t number)
{
    if (has)
        buf_add_format(out, ",\"%s\":%lld", name, (long long)number);
    else
        buf_add_format(out, ",\"%s\":null", name);
}

static void add_finding(struct buf *out, const char *name, const struct finding *finding)
{
    const struct http_trace *trace;

    buf_add_format(out, ",\"%s\":", name);
    if (!finding || !finding->done) {
        buf_add_text(out, "null");
        return;
    }
    trace = &finding->trace;
    buf_add_format(out, "{\"reached\":%s", finding->fault == HTTP_DONE ? "true" : "false");
    add_member(out, "url", finding->url);
    add_member(out, "address", trace->address[0] ? trace->address : NULL);
    add_number(out, "dns_ms", trace->name_ms >= 0, trace->name_ms);
    add_number(out, "tcp_ms", trace->connect_ms >= 0, trace->connect_ms);
    add_number(out, "tls_ms", trace->tls_ms >= 0, trace->tls_ms);
    add_member(out, "issuer", trace->issuer[0] ? trace->issuer : NULL);
    add_member(out, "ca_file", finding->ca_file);
    buf_add_format(out, ",\"proxy\":%s", finding->proxied ? "true" : "false");
    add_member(out, "error", finding->fault == HTTP_DONE ? NULL : finding->reason);
    buf_add_char(out, '}');
}

static void add_granted(struct buf *out, const char *granted)
{
    CLEANUP(mem_freep) char *list = mem_text(granted);
    char *word, *rest = list;
    bool first = true;

    buf_add_text(out, ",\"permissions\":[");
    while ((word = strsep(&rest, " "))) {
        if (!*word)
            continue;
        buf_add_text(out, first ? "" : ",");
        buf_add_json(out, word);
        first = false;
    }
    buf_add_char(out, ']');
}

static void add_token_object(struct buf *out, const struct outcome *row)
{
    if (!row->has_token) {
        buf_add_text(out, ",\"token\":null");
        return;
    }
    buf_add_format(out, ",\"token\":{\"readable\":%s", row->claims.readable ? "true" : "false");
    add_member(out, "kind", row->claims.readable ? row->claims.user ? "user" : "app" : NULL);
    add_granted(out, row->claims.granted);
    add_member(out, "missing", row->lacks_permission ? row->permission : NULL);
    buf_add_char(out, '}');
}

static void add_row(struct buf *out, const struct outcome *row)
{
    char time[TICKS_TEXT_MAX];

    ticks_text(row->newest.newest, time);
    buf_add_text(out, "{\"input\":");
    buf_add_json(out, row->input);
    add_member(out, "tenant_id", row->tenant_id);
    add_member(out, "client_id", row->client_id);
    add_member(out, "api", row->api);
    buf_add_format(out, ",\"ok\":%s", row->result == CHECK_OK ? "true" : "false");
    add_member(out, "result", result_word(row->result));
    add_member(out, "cause", row->result == CHECK_OK || !*row->err.cause ? NULL : row->err.cause);
    add_member(out, "why", row->result == CHECK_OK ? NULL : row->err.text);
    add_member(out, "note", row->result == CHECK_OK && *row->note ? row->note : NULL);
    add_member(out, "credential", row->credential);
    add_finding(out, "login", row->login);
    add_finding(out, "service", row->service);
    add_token_object(out, row);
    add_member(out, "newest_alert", row->newest.has_newest ? time : NULL);
    add_number(out, "newest_alert_age_s", row->newest.has_newest,
               (row->newest.service_now - row->newest.newest) / TICKS_PER_SECOND);
    add_number(out, "clock_difference_ms", row->has_clock, row->clock_offset_ms);
    add_number(out, "certificate_days", row->has_days, row->certificate_days);
    add_number(out, "api_days", row->ends, row->ends_days);
    report_compared_json(row, out);
    buf_add_char(out, '}');
}

static void add_findings(struct buf *out, const char *name, const struct host_finding *found, size_t count)
{
    static const char *const words[] = { "ok", "note", "bad" };
    size_t i;

    buf_add_format(out, ",\"%s\":[", name);
    for (i = 0; i < count; i++) {
        buf_add_format(out, "%s{\"what\":\"%s\"", i ? "," : "", found[i].what);
        add_member(out, "result", words[found[i].level]);
        add_member(out, "text", found[i].err.text);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

/* Only where forwarders share. */
static void add_share(struct buf *out, const struct report *report)
{
    size_t i;

    if (!report->share)
        return;
    buf_add_text(out, ",\"share\":[");
    for (i = 0; i < report->share_count; i++) {
        buf_add_text(out, i ? ",\n{\"name\":" : "\n{\"name\":");
        buf_add_json(out, report->share[i].name);
        buf_add_format(out, ",\"ok\":%s", host_section_is_bad(&report->share[i]) ? "false" : "true");
        add_findings(out, "findings", report->share[i].found, report->share[i].count);
        buf_add_char(out, '}');
    }
    buf_add_char(out, ']');
}

void report_json(const struct report *report, FILE *to)
{
    struct buf out = BUF_INIT(TEXT_MAX);
    bool first = true;
    size_t i;

    buf_add_format(&out, "{\"ok\":%s", report_is_good(report) ? "true" : "false");
    add_findings(&out, "host", report->host, report->host_count);
    add_share(&out, report);
    buf_add_text(&out, ",\"inputs\":[");
    for (i = 0; i < report->count; i++) {
        if (report->only_bad && report->rows[i]->result == CHECK_OK)
            continue;
        buf_add_text(&out, first ? "\n" : ",\n");
        add_row(&out, report->rows[i]);
        first = false;
    }
    buf_add_text(&out, "\n]}\n");
    fwrite(buf_text(&out), 1, out.len, to);
    buf_free(&out);
}
