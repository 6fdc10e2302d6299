#include "splunk/splunkd.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/log_events.h"
#include "splunk/splunkd_private.h"

#define URL_MAX     8192
#define LISTING_MAX (64 * 1024 * 1024)      /* thousands of inputs, with what splunkd adds to each entry */

struct load {
    struct call      call;
    struct buf       body;
    splunkd_done_fn *done;
    void            *ctx;
};

struct edit {
    struct splunkd  *splunkd;
    struct call      call;
    splunkd_done_fn *done;
    splunkd_inputs_fn *listed;      /* a look at all inputs, in place of done */
    struct buf       body;
    void            *ctx;
    struct edit     *next;
};

struct splunkd *splunkd_new(struct loop *loop, struct http *http, const struct config *config,
                            const char *splunk_home)
{
    struct splunkd *splunkd = mem_alloc(sizeof(*splunkd));
    size_t len = strlen(config->server_uri);

    while (len && config->server_uri[len - 1] == '/')
        len--;
    splunkd->loop = loop;
    splunkd->http = http;
    splunkd->server_uri = mem_text_n(config->server_uri, len);
    splunkd->authorization = mem_format("Splunk %s", config->session_key);
    splunkd->ca_file = splunkd_ca_file(splunk_home);
    splunkd->route = (struct http_route){ .ca_file = splunkd->ca_file, .proxy = "", .loopback_name = true };
    return splunkd;
}

static void load_free(struct splunkd *splunkd)
{
    struct load *load = splunkd->load;

    if (!load)
        return;
    splunkd->load = NULL;
    call_stop(&load->call);
    buf_free_secret(&load->body);
    free(load);
}

static void edit_free(struct edit *edit)
{
    struct edit **slot = &edit->splunkd->edits;

    while (*slot != edit)
        slot = &(*slot)->next;
    *slot = edit->next;
    call_stop(&edit->call);
    buf_free_secret(&edit->body);
    free(edit);
}

void splunkd_free(struct splunkd *splunkd)
{
    if (!splunkd)
        return;
    load_free(splunkd);
    stores_free(splunkd);
    while (splunkd->edits)
        edit_free(splunkd->edits);
    secrets_clear(&splunkd->whole);
    secrets_clear(&splunkd->entries);
    free(splunkd->server_uri);
    free(splunkd->ca_file);
    mem_free_secret(splunkd->authorization);
    free(splunkd);
}

char *store_url(const struct splunkd *splunkd)
{
    return mem_format("%s/servicesNS/nobody/" APP_NAME "/storage/passwords?output_mode=json", splunkd->server_uri);
}

/* An entry's id is "realm:name:". Neither part holds a ':' of its own, so none is escaped. */
char *entry_url(const struct splunkd *splunkd, const char *name)
{
    struct buf url = BUF_INIT(URL_MAX);

    buf_add_format(&url, "%s/servicesNS/nobody/" APP_NAME "/storage/passwords/" APP_NAME "%%3A", splunkd->server_uri);
    buf_add_url(&url, name);
    buf_add_text(&url, "%3A?output_mode=json");
    return buf_take(&url);
}

/* Reading all secrets. */

static bool read_entries(const struct buf *body, struct secrets *ret)
{
    CLEANUP(secret_json_freep) cJSON *tree = secret_json(body->data, body->len);
    const cJSON *list = json_member(tree, "entry"), *entry;

    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(entry, list) {
        const cJSON *content = json_member(entry, "content");
        const char *name = json_text(content, "username"), *value = json_text(content, "clear_password");

        if (name && value && text_same(json_text(content, "realm"), APP_NAME))
            secrets_set(ret, name, value);
    }
    return true;
}

/* From entries to whole secrets. Learns on the way whether this store cuts. */
static void join_entries(struct splunkd *splunkd)
{
    struct secrets *entries = &splunkd->entries;
    struct manifest note;
    size_t i;

    for (i = 0; i < entries->count; i++) {
        const char *name = entries->list[i].name, *value = entries->list[i].value;

        if (strstr(name, PART_INFIX) || strcmp(name, PROBE_NAME) == 0)
            continue;
        if (!manifest_read(value, &note)) {
            secrets_set(&splunkd->whole, name, value);
            if (strlen(value) > CUT_LENGTH)
                splunkd->cutting = CUTS_NOT;
        } else {
            CLEANUP(mem_free_secretp) char *joined = parts_join(entries, name, &note);

            if (joined)
                secrets_set(&splunkd->whole, name, joined);
            else
                log_event(EVENT_SECRET_DAMAGED, "secret=%s not all of its %u pieces are in Splunk's password store",
                          name, note.count);
            if (splunkd->cutting == CUTS_UNKNOWN)
                splunkd->cutting = CUTS;
        }
    }
    for (i = 0; i < entries->count; i++) {      /* from here on the names are enough */
        mem_free_secret(entries->list[i].value);
        entries->list[i].value = mem_text("");
    }
}

static void on_loaded(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct splunkd *splunkd = ctx;
    struct load *load = splunkd->load;
    splunkd_done_fn *done = load->done;
    void *done_ctx = load->ctx;
    struct secrets entries = { 0 };
    struct err why = *err;

    if (ok && !read_entries(&load->body, &entries)) {
        ok = err_set(&why, ERR_RETRY, "splunkd's list of stored passwords cannot be read: it is no JSON list of "
                                      "entries");
        secrets_clear(&entries);
    }
    if (ok) {
        secrets_clear(&splunkd->whole);
        secrets_clear(&splunkd->entries);
        splunkd->entries = entries;
        splunkd->cutting = CUTS_UNKNOWN;
        join_entries(splunkd);
    }
    load_free(splunkd);
    done(done_ctx, ok, &why);
}

void splunkd_load_secrets(struct splunkd *splunkd, splunkd_done_fn *done, void *ctx)
{
    struct load *load = mem_alloc(sizeof(*load));

    load_free(splunkd);         /* a new wish replaces the old one */
    *load = (struct load){
        .call = { .splunkd = splunkd, .done = on_loaded, .ctx = splunkd }, .body = BUF_INIT(LISTING_MAX), .done = done,
        .ctx = ctx
    };
    load->call.body = &load->body;
    splunkd->load = load;
    /* All of them (30 is splunkd's preset), and of each only what is needed. */
    call_start(&load->call, NULL,
               mem_format("%s/servicesNS/nobody/" APP_NAME "/storage/passwords?output_mode=json&count=0"
                          "&f=realm&f=username&f=clear_password", splunkd->server_uri), NULL);
}

const char *splunkd_secret(const struct splunkd *splunkd, const char *name)
{
    return secrets_get(&splunkd->whole, name);
}

/* Names. */

char *secret_name_client(const char *client_id)
{
    return mem_format("client_secret.%s", client_id);
}

char *secret_name_refresh(const char *tenant_id, const char *client_id)
{
    return mem_format("refresh_token.%s.%s", tenant_id, client_id);
}

char *secret_name_proxy(const char *input_name)
{
    struct buf name = BUF_INIT(URL_MAX);

    buf_add_text(&name, "proxy_password.");
    buf_add_file_name(&name, input_name);
    return buf_take(&name);
}

/* Editing an input. */

static struct edit *edit_new(struct splunkd *splunkd, call_fn *done, void *ctx)
{
    struct edit *edit = mem_alloc(sizeof(*edit));

    edit->splunkd = splunkd;
    edit->call.splunkd = splunkd;
    edit->call.done = done;
    edit->call.ctx = edit;
    edit->ctx = ctx;
    edit->next = splunkd->edits;
    splunkd->edits = edit;
    return edit;
}

static char *form_of(const char *const *name_value)
{
    struct buf form = BUF_INIT(HTTP_BODY_MAX);

    for (; name_value[0]; name_value += 2)
        buf_add_form(&form, name_value[0], name_value[1]);
    return buf_take(&form);
}

static void on_edited(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct edit *edit = ctx;
    splunkd_done_fn *done = edit->done;
    void *done_ctx = edit->ctx;

    edit_free(edit);
    done(done_ctx, ok, err);
}

void splunkd_edit_input(struct splunkd *splunkd, const char *app, const char *input_name,
                        const char *const *name_value, splunkd_done_fn *done, void *ctx)
{
    struct edit *edit = edit_new(splunkd, on_edited, ctx);
    struct buf url = BUF_INIT(URL_MAX);

    edit->done = done;
    buf_add_format(&url, "%s/servicesNS/nobody/", splunkd->server_uri);
    buf_add_url(&url, text_empty(app) ? APP_NAME : app);
    buf_add_text(&url, "/data/inputs/" SCHEME_NAME "/");
    buf_add_url(&url, input_name);
    buf_add_text(&url, "?output_mode=json");
    call_start(&edit->call, NULL, buf_take(&url), form_of(name_value));
}

void splunkd_create_input(struct splunkd *splunkd, const char *const *name_value, splunkd_done_fn *done, void *ctx)
{
    struct edit *edit = edit_new(splunkd, on_edited, ctx);

    edit->done = done;
    call_start(&edit->call, NULL, mem_format("%s/servicesNS/nobody/" APP_NAME "/data/inputs/" SCHEME_NAME
                                             "?output_mode=json", splunkd->server_uri), form_of(name_value));
}

/* Looking at all inputs. */

static void on_listed(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct edit *edit = ctx;
    CLEANUP(secret_json_freep) cJSON *tree = ok ? secret_json(edit->body.data, edit->body.len) : NULL;
    const cJSON *list = json_member(tree, "entry");
    splunkd_inputs_fn *listed = edit->listed;
    void *listed_ctx = edit->ctx;
    struct err why = *err;

    if (ok && !cJSON_IsArray(list))
        ok = err_set(&why, ERR_RETRY, "splunkd's list of inputs cannot be read: it is no JSON list of entries");
    edit_free(edit);
    listed(listed_ctx, ok, list, &why);
}

void splunkd_list_inputs(struct splunkd *splunkd, splunkd_inputs_fn *done, void *ctx)
{
    struct edit *edit = edit_new(splunkd, on_listed, ctx);

    edit->listed = done;
    edit->body = BUF_INIT(LISTING_MAX);
    edit->call.body = &edit->body;
    call_start(&edit->call, NULL, mem_format("%s/servicesNS/nobody/-/data/inputs/" SCHEME_NAME
                                             "?output_mode=json&count=0", splunkd->server_uri), NULL);
}
