/* The sections of the report of `check` below its rows. */
#include "command/check_report_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/diagnosis.h"
#include "messages/log_events.h"
#include "messages/notes.h"

#define TEXT_MAX   4096
#define NAMES_MOST 5
#define DAYS_WARN  30

struct group {
    const char *text;
    size_t count, first; /* inputs, and the first of them */
};

static bool is_shown(const struct report *report, const struct outcome *row)
{
    return !report->only_bad || row->result != CHECK_OK;
}

/* What is said of one input. */

/* Adds ". Our administrator: <advice>", or ". <Advice>" if nobody has to act. */
static void add_remedy(struct buf *text, const struct err *err, const char *permission)
{
    static const char nothing[] = "nothing: ";
    enum responsible who = (enum responsible)err->responsible;
    const char *advice = err->advice;
    size_t start;

    if (who == ACT_NOBODY)
        buf_add_text(text, ". ");
    else
        remedy_add(text, who, "");
    if (who == ACT_NOBODY && text_starts(advice, nothing))
        advice += strlen(nothing);
    start = text->len;
    diagnosis_fill(text, advice, who == ACT_CUSTOMER ? permission : NULL); /* of the rows that name one */
    if (who == ACT_NOBODY && text->len > start)
        text->data[start] = (char)toupper((unsigned char)text->data[start]);
}

/* where: what the err is about, a word of the table. */
static void add_cause(struct buf *text, const struct err *err, const char *where, const char *permission)
{
    buf_add_text(text, *err->cause ? err->cause : where);
    if (*err->cause)
        buf_add_format(text, " (%s)", where);
    if (err->advice)
        add_remedy(text, err, permission);
}

static void add_note(struct buf *text, const struct outcome *row)
{
    if (row->result == CHECK_OK)
        buf_add_text(text, row->note);
    if (row->has_days && row->certificate_days <= DAYS_WARN)
        buf_add_format(text, "%sThe certificate of client_certificate ends in %lld days.", text->len ? " " : "",
                       (long long)row->certificate_days);
}

/* Returns the word of principal_credential() for people. */
static const char *credential_text(const char *word)
{
    static const struct {
        const char *word, *text;
    } rows[] = { { "secret", "client secret" },
                 { "certificate", "certificate" },
                 { "managed_identity", "managed identity" },
                 { "token_file", "token file" },
                 { "refresh_token", "refresh token" } };
    size_t i;

    for (i = 0; i < COUNT_OF(rows); i++)
        if (text_same(rows[i].word, word))
            return rows[i].text;
    return "another credential";
}

static void add_token(struct buf *text, const struct outcome *row)
{
    if (!row->has_token)
        return;
    if (!row->claims.readable)
        buf_add_text(text, "a token that cannot be read here");
    else
        buf_add_format(text, "%s, by %s: %s", row->claims.user ? "user" : "app", credential_text(row->credential),
                       *row->claims.granted ? row->claims.granted : "no permissions");
}

static void add_end(struct buf *text, const struct outcome *row)
{
    if (!row->ends)
        return;
    note_api_ends(text, row->api, row->ends_on, row->ends_days);
    remedy_add(text, event_table[EVENT_API_ENDS].remedy.responsible, event_table[EVENT_API_ENDS].remedy.advice);
}

/* Returns the text of the group that an input belongs to; "": none. Caller frees. */
static char *text_of(const struct report *report, enum group_kind kind, const struct outcome *row)
{
    struct buf text = BUF_INIT(TEXT_MAX);

    if (!is_shown(report, row))
        return mem_text("");
    switch (kind) {
    case GROUP_CAUSE:
        if (row->result != CHECK_OK)
            add_cause(&text, &row->err, result_word(row->result), row->permission);
        break;
    case GROUP_NOTE: add_note(&text, row); break;
    case GROUP_TOKEN: add_token(&text, row); break;
    case GROUP_ENDS: add_end(&text, row); break;
    }
    return buf_take(&text);
}

/* Groups. */

static struct group *find_group(struct group *groups, size_t count, const char *text)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (!strcmp(groups[i].text, text))
            return &groups[i];
    return NULL;
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *first = a, *second = b;

    if (first->count != second->count)
        return first->count < second->count ? 1 : -1;
    return first->first > second->first ? 1 : -1;
}

/* Prints how many inputs a group has, and the names of the first ones. */
static void print_members(const struct report *report, char *const *texts, const struct group *group, struct wrap *to)
{
    CLEANUP(buf_free) struct buf line = BUF_INIT(TEXT_MAX);
    size_t i, named = 0;

    buf_add_format(&line, "%zu input%s: ", group->count, group->count == 1 ? "" : "s");
    for (i = group->first; named < group->count && named < NAMES_MOST; i++)
        if (!strcmp(texts[i], group->text))
            buf_add_format(&line, "%s%s", named++ ? ", " : "", report->rows[i]->input);
    if (group->count > named)
        buf_add_format(&line, " and %zu more", group->count - named);
    wrap_line(to, 4, 4, buf_text(&line));
}

/* Fills groups from the inputs' texts. Returns how many there are. */
static size_t group_texts(char *const *texts, size_t texts_count, struct group *groups)
{
    size_t i, count = 0;
    struct group *group;

    for (i = 0; i < texts_count; i++) {
        if (!*texts[i])
            continue;
        group = find_group(groups, count, texts[i]);
        if (!group) {
            group = &groups[count];
            *group = (struct group){ .text = texts[i], .first = i };
            count++;
        }
        group->count++;
    }
    qsort(groups, count, sizeof(*groups), compare_groups);
    return count;
}

/* Prints what is bad on this host, since it concerns every input. */
static void print_host_causes(const struct report *report, struct wrap *to)
{
    size_t i;

    for (i = 0; i < report->host_count; i++) {
        CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

        if (report->host[i].level != HOST_BAD)
            continue;
        add_cause(&text, &report->host[i].err, report->host[i].what, NULL);
        wrap_line(to, 2, 4, buf_text(&text));
        wrap_line(to, 4, 4, "every input of this host");
    }
}

void groups_print(const struct report *report, enum group_kind kind, struct wrap *to)
{
    static const char *const headings[] = { "Problems by cause", "Worth a look", "Tokens and permissions",
                                            "Services that end" };
    struct group *groups = mem_alloc((report->count + 1) * sizeof(*groups));
    char **texts = mem_alloc((report->count + 1) * sizeof(*texts));
    size_t i, count;
    bool host = kind == GROUP_CAUSE && report_host_is_bad(report);

    for (i = 0; i < report->count; i++)
        texts[i] = text_of(report, kind, report->rows[i]);
    count = group_texts(texts, report->count, groups);
    if (count || host)
        wrap_heading(to, headings[kind]);
    if (host)
        print_host_causes(report, to);
    for (i = 0; i < count; i++) {
        wrap_line(to, 2, 4, groups[i].text);
        print_members(report, texts, &groups[i], to);
    }
    for (i = 0; i < report->count; i++)
        free(texts[i]);
    free(texts);
    free(groups);
}

/* Services. */

/* The phases of a connection. */
enum phase { PHASE_DNS, PHASE_TCP, PHASE_TLS, PHASE_DONE };

/* Returns the phase that failed. */
static enum phase phase_of(const struct finding *found)
{
    const struct http_trace *trace = &found->trace;

    switch (found->fault) {
    case HTTP_DONE: return PHASE_DONE;
    case HTTP_NO_NAME: return PHASE_DNS;
    case HTTP_NO_CONNECTION:
    case HTTP_NO_PROXY: return PHASE_TCP;
    case HTTP_NO_TLS: return PHASE_TLS;
    default: return trace->name_ms < 0 ? PHASE_DNS : trace->connect_ms < 0 ? PHASE_TCP : PHASE_TLS;
    }
}

static void add_phases(struct buf *text, const struct finding *found)
{
    const struct http_trace *trace = &found->trace;
    const char *const names[] = { "DNS", found->proxied ? "proxy" : "TCP", "TLS" };
    const int times[] = { trace->name_ms, trace->connect_ms, found->ca_file ? trace->tls_ms : -1 };
    enum phase failed = phase_of(found), phase;

    buf_add_char(text, ':');
    for (phase = PHASE_DNS; phase <= PHASE_TLS && phase <= failed; phase++) {
        if (phase == failed)
            buf_add_format(text, " %s failed,", names[phase]);
        else if (times[phase] >= 0)
            buf_add_format(text, " %s %d ms,", names[phase], times[phase]);
        else if (phase != PHASE_TLS || found->ca_file)
            buf_add_format(text, " %s ok,", names[phase]);
    }
    text->data[--text->len] = '\0'; /* the last comma, or the colon */
}

static void print_service(const struct finding *found, struct wrap *to)
{
    CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

    buf_add_text(&text, found->url);
    add_phases(&text, found);
    if (found->trace.issuer[0])
        buf_add_format(&text, ", issued by '%s'", found->trace.issuer);
    if (found->ca_file)
        buf_add_format(&text, ", CA file %s", found->ca_file);
    wrap_line(to, 2, 4, buf_text(&text));
}

void groups_print_services(const struct report *report, struct wrap *to)
{
    const struct finding **seen = mem_alloc((2 * report->count + 1) * sizeof(*seen));
    size_t i, k, count = 0;

    for (i = 0; i < 2 * report->count; i++) {
        const struct outcome *row = report->rows[i / 2];
        const struct finding *found = i % 2 ? row->service : row->login;

        if (!found || !found->done || !is_shown(report, row))
            continue;
        for (k = 0; k < count && seen[k] != found; k++)
            ;
        if (k < count)
            continue;
        if (!count)
            wrap_heading(to, "Services");
        seen[count++] = found;
        print_service(found, to);
    }
    free(seen);
}
