#include "command/check_share_private.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/check_endpoint.h"
#include "command/share_notes.h"
#include "command/share_reader.h"
#include "messages/diagnosis.h"
#include "net/url.h"
#include "share/token.h"
#include "splunk/rest_ca.h"

#define MOST_MS  10000
#define TEXT_MAX 1000

static void end_if_done(struct check_share *share)
{
    size_t i;

    for (i = 0; i < share->count; i++)
        if (!share->places[i].done)
            return;
    if (share->done)
        return;
    share->done = true;
    timer_cancel(share->spec.loop, &share->deadline);
    share->spec.done(share->spec.ctx);
}

static void place_end(struct place *place)
{
    place->done = true;
    end_if_done(place->share);
}

/* The group. */

static void add_note(void *ctx, bool is_trouble, const char *text)
{
    check_share_find(ctx, "group", is_trouble ? HOST_BAD : HOST_NOTE, "%s", text);
}

/* Notes what the first address that answers shows; the others show the same. */
static void note_group(struct place *place, const struct share_view *view)
{
    struct check_share *share = place->share;
    const char *name = share->spec.config->server_host;
    struct share_report report = { .view = view,
                                   .own = &share->inputs,
                                   .name = text_empty(name) ? NULL : name,
                                   .store = place->section.name,
                                   .watched_s = SHARE_WATCH_MS / CLOCK_SECOND_MS };

    if (share->noted)
        return;
    share->noted = true;
    share_notes(&report, add_note, &share->self);
}

static void find_members(struct host_section *section, const struct share_view *view)
{
    struct share_names heard = { .list = NULL };
    struct buf text = BUF_INIT(TEXT_MAX);
    size_t i;

    for (i = 0; i < view->count; i++)
        if (view->members[i].here && view->members[i].moved)
            share_names_add(&heard, view->members[i].name);
    share_add_names(&text, heard.list, heard.count);
    if (heard.count)
        check_share_find(section, "forwarders", HOST_FINE, "%zu heard: %s", heard.count, buf_text(&text));
    else
        check_share_find(section, "forwarders", HOST_NOTE,
                         "none is heard; this one joins when its program runs with share_url");
    buf_free(&text);
    share_names_free(&heard);
}

static void find_table(struct host_section *section, const struct share_view *view, const char *name)
{
    if (!view->table)
        check_share_find(section, "table", HOST_NOTE, "none yet; the first forwarder that runs makes one");
    else if (!share_view_has_body(view))
        check_share_find(section, "table", HOST_NOTE, "number %lld, whose content cannot be read",
                         (long long)view->table);
    else
        check_share_find(section, "table", HOST_FINE, "number %lld, made by %s: %zu inputs, %zu of them here",
                         (long long)view->table, view->by ? view->by : "nobody", view->body.count,
                         share_view_held(view, name));
}

static void take_view(struct place *place, const struct share_view *view)
{
    find_members(&place->section, view);
    find_table(&place->section, view, place->share->spec.config->server_host);
    note_group(place, view);
}

static int64_t on_read(void *ctx, const struct share_view *view)
{
    struct place *place = ctx;

    if (place->done)
        return -1;
    if (!share_view_all_heard(view) && clock_ms() - place->watched_since_ms < SHARE_WATCH_MS)
        return SHARE_PAUSE_MS;
    take_view(place, view);
    place_end(place);
    return -1;
}

static void on_failed(void *ctx, const struct kvstore_answer *answer)
{
    struct place *place = ctx;
    struct err err = *answer->err;

    if (place->done)
        return;
    share_explain(&err);
    check_share_find(&place->section, "forwarders", HOST_BAD, "%s", err.text);
    place_end(place);
}

/* An address. */

static void on_probed(void *ctx, struct share_probe *probe)
{
    struct place *place = ctx;
    struct check_share *share = place->share;

    if (place->done)
        return;
    if (!probe->ok) {
        check_share_find(&place->section, "self-test", HOST_BAD, "%s", probe->err.text);
        place_end(place);
        return;
    }
    check_share_find(
        &place->section, "self-test", HOST_FINE,
        "inserted, the same insert was refused, read back after %lld ms, replaced, found, deleted; both collections",
        (long long)probe->seen_ms);
    place->watched_since_ms = clock_ms();
    place->reader = share_reader_new(share->spec.loop, probe->link, share->inputs.group,
                                     &(struct share_reader_owner){ .read = on_read,
                                                                   .failed = on_failed,
                                                                   .ctx = place });
}

static void find_connection(struct host_section *section, const struct endpoint *endpoint)
{
    const struct http_trace *trace = &endpoint->found.trace;
    struct buf text = BUF_INIT(TEXT_MAX);

    buf_add_text(&text, trace->address);
    if (trace->name_ms >= 0)
        buf_add_format(&text, ", name %d ms", trace->name_ms);
    if (trace->connect_ms >= 0)
        buf_add_format(&text, ", connected after %d ms", trace->connect_ms);
    if (trace->tls_ms >= 0)
        buf_add_format(&text, ", TLS after %d ms", trace->tls_ms);
    if (*trace->issuer)
        buf_add_format(&text, ", certificate of '%s'", trace->issuer);
    check_share_find(section, "connection", HOST_FINE, "%s", buf_text(&text));
    buf_free(&text);
}

/* Returns true, with err, if the connection failed. Of certificates, other parameters are to blame than at Microsoft. */
static bool failed(const struct place *place, struct err *err)
{
    enum diagnosis as = place->endpoint->found.diagnosis;
    CLEANUP(mem_freep) char *said = mem_format(": %s", place->endpoint->found.reason);

    if (!endpoint_failed(place->endpoint, err))
        return false;
    if (as == DIAGNOSIS_CA_FILE || as == DIAGNOSIS_NO_TLS)
        diagnosis_set(err, ERR_INPUT, as == DIAGNOSIS_NO_TLS ? DIAGNOSIS_STORE_TLS : DIAGNOSIS_STORE_CA,
                      &(struct diagnosis_facts){ .text = place->section.name, .detail = said });
    return true;
}

static void connected(struct place *place)
{
    struct err err;

    if (failed(place, &err)) {
        check_share_find(&place->section, "connection", HOST_BAD, "%s", err.text);
        place_end(place);
        return;
    }
    find_connection(&place->section, place->endpoint);
    if (place->share->token)
        share_probe_start(&place->probe, place->section.name, place->share->token);
    else
        place_end(place);
}

void check_share_tried(struct check_share *share, const struct endpoint *endpoint)
{
    size_t i;

    for (i = 0; share && i < share->count; i++)
        if (share->places[i].endpoint == endpoint && !share->places[i].done)
            connected(&share->places[i]);
}

static void place_begin(struct place *place, char *url)
{
    struct check_share *share = place->share;
    CLEANUP(mem_freep) char *host = url_host(url);

    place->section.name = url;
    place->probe = (struct share_probe){ .loop = share->spec.loop,
                                         .http = share->spec.http,
                                         .group = share->inputs.group,
                                         .ca_file = share->inputs.ca_file,
                                         .done = on_probed,
                                         .ctx = place };
    if (url_is_loopback(url) || text_same_nocase(host, share->spec.config->server_host))
        check_share_find(
            &place->section, "place", HOST_NOTE,
            "this is the forwarder itself: if it ends, the others have no store. Better the deployment server or the search "
            "heads");
    place->endpoint = endpoints_get(share->spec.endpoints, url, share->ca_file, "");
    if (place->endpoint->found.done)
        connected(place);
}

/* From beginning to end. */

static void late(void *ctx, int64_t now_ms UNUSED)
{
    struct check_share *share = ctx;
    size_t i;

    for (i = 0; i < share->count; i++) {
        struct place *place = &share->places[i];

        if (place->done)
            continue;
        if (place->reader && share_reader_view(place->reader)->readings > 1) /* what was heard until now */
            take_view(place, share_reader_view(place->reader));
        else
            check_share_find(&place->section, "answer", HOST_BAD, "not all of it came within %d s; try again",
                             MOST_MS / CLOCK_SECOND_MS);
        place->done = true;
    }
    end_if_done(share);
}

struct check_share *check_share_new(const struct check_share_spec *spec)
{
    struct check_share *share = mem_alloc(sizeof(*share));

    share->spec = *spec;
    share->deadline = (struct timer){ .fire = late, .ctx = share };
    share_inputs_read(spec->config, &share->inputs);
    if (share->inputs.urls)
        return share;
    share_inputs_free(&share->inputs);
    free(share);
    return NULL;
}

static void places_begin(struct check_share *share)
{
    const char *rest = share->inputs.urls;
    size_t i;
    char *url;

    while ((url = share_next_url(&rest))) {
        share->count++;
        free(url);
    }
    share->places = mem_alloc(share->count * sizeof(struct place));
    for (i = 0, rest = share->inputs.urls; i < share->count; i++)
        share->places[i].share = share;
    for (i = 0; i < share->count; i++)
        place_begin(&share->places[i], share_next_url(&rest));
}

void check_share_begin(struct check_share *share)
{
    const struct share_inputs *inputs = &share->inputs;
    struct err err;
    size_t i;

    share->self.name = mem_format("this forwarder, group %s", inputs->group);
    for (i = 0; i < inputs->odd_count; i++)
        check_share_find(&share->self, "inputs", HOST_BAD, "%s", inputs->odd[i]);
    if (!share_inputs_check("share_url", inputs->urls, "share_group", inputs->group, &err)) {
        check_share_find(&share->self, "inputs", HOST_BAD, "%s", err.text);
    } else {
        share->ca_file = inputs->ca_file ? mem_text(inputs->ca_file) : rest_ca_file(getenv("SPLUNK_HOME"));
        check_share_find_token(share);
        check_share_find_secrets(share);
        timer_set(share->spec.loop, &share->deadline, clock_ms() + MOST_MS);
        places_begin(share);
    }
    end_if_done(share);
}

bool check_share_is_done(const struct check_share *share)
{
    return !share || share->done;
}

const struct host_section *check_share_sections(struct check_share *share, size_t *count)
{
    size_t i;

    *count = share ? share->count + 1 : 0;
    if (!share)
        return NULL;
    share->sections = mem_grow(share->sections, *count, sizeof(struct host_section));
    for (i = 0; i < share->count; i++)
        share->sections[i] = share->places[i].section;
    share->sections[share->count] = share->self;
    return share->sections;
}

static void section_release(struct host_section *section)
{
    free(section->name);
    free(section->found);
}

void check_share_free(struct check_share *share)
{
    size_t i;

    if (!share)
        return;
    timer_cancel(share->spec.loop, &share->deadline);
    for (i = 0; i < share->count; i++) {
        share_reader_free(share->places[i].reader);
        share_probe_release(&share->places[i].probe);
        section_release(&share->places[i].section);
    }
    free(share->places);
    free(share->sections);
    section_release(&share->self);
    free(share->ca_file);
    share_inputs_free(&share->inputs);
    free(share);
}
