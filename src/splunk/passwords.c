#include "splunk/passwords.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "messages/diagnosis.h"
#include "messages/log_events.h"
#include "splunk/app.h"
#include "splunk/passwords_pieces.h"
#include "splunk/passwords_private.h"
#include "splunk/secret_hosts.h"

#define LISTING_MAX (64 * 1024 * 1024) /* thousands of entries, with all that splunkd adds to each */

struct password_load {
    struct rest_call call;
    struct buf body;
    rest_done_fn *done;
    void *ctx;
};

struct passwords *passwords_new(struct rest *rest)
{
    struct passwords *passwords = mem_alloc(sizeof(*passwords));

    passwords->rest = rest;
    return passwords;
}

static void load_free(struct passwords *passwords)
{
    struct password_load *load = passwords->load;

    if (!load)
        return;
    passwords->load = NULL;
    rest_call_stop(&load->call);
    buf_free_secret(&load->body);
    free(load);
}

void passwords_free(struct passwords *passwords)
{
    if (!passwords)
        return;
    load_free(passwords);
    passwords_writes_free(passwords);
    secret_list_clear(&passwords->whole);
    secret_list_clear(&passwords->entries);
    free(passwords);
}

bool passwords_read_entries(const struct buf *body, struct secret_list *ret)
{
    CLEANUP(rest_json_freep) cJSON *tree = json_parse(body->data, body->len);
    const cJSON *list = json_member(tree, "entry"), *entry;

    if (!cJSON_IsArray(list))
        return false;
    cJSON_ArrayForEach(entry, list)
    {
        const cJSON *content = json_member(entry, "content");
        const char *name = json_text(content, "username"), *value = json_text(content, "clear_password");

        if (name && value && text_same(json_text(content, "realm"), APP_NAME))
            secret_list_set(ret, name, value);
    }
    return true;
}

/* Returns the secret of a main entry: its value, or its pieces joined. NULL: damaged. Caller frees. */
static char *whole_secret(struct passwords *passwords, const struct secret *entry)
{
    struct manifest manifest;

    switch (manifest_parse(entry->value, &manifest)) {
    case MANIFEST_GOOD:
        if (passwords->truncation == TRUNCATES_UNKNOWN)
            passwords->truncation = TRUNCATES;
        return pieces_join(&passwords->entries, entry->name, &manifest);
    case MANIFEST_NONE:
        if (strlen(entry->value) > STORE_KEEPS_BYTES)
            passwords->truncation = TRUNCATES_NOT;
        return mem_text(entry->value);
    case MANIFEST_DAMAGED: break;
    }
    return NULL;
}

/* Makes whole secrets of the entries, and finds out whether this store truncates. */
static void join_entries(struct passwords *passwords)
{
    struct secret_list *entries = &passwords->entries;
    size_t i;

    for (i = 0; i < entries->count; i++) {
        const struct secret *entry = &entries->items[i];
        CLEANUP(mem_free_secretp) char *secret = NULL;

        if (strstr(entry->name, PIECE_INFIX) || strcmp(entry->name, PROBE_NAME) == 0)
            continue;
        secret = whole_secret(passwords, entry);
        if (secret)
            secret_list_set(&passwords->whole, entry->name, secret);
        else
            log_event(EVENT_SECRET_DAMAGED, "secret=%s its pieces in Splunk's password store are not complete",
                      QUOTED(entry->name));
    }
    for (i = 0; i < entries->count; i++) { /* from here on the names are enough */
        mem_free_secret(entries->items[i].value);
        entries->items[i].value = mem_text("");
    }
}

void passwords_listen(struct passwords *passwords, void (*troubled)(void *ctx), void *ctx)
{
    passwords->troubled = troubled;
    passwords->troubled_ctx = ctx;
}

const struct err *passwords_trouble(const struct passwords *passwords)
{
    return *passwords->trouble.text ? &passwords->trouble : NULL;
}

/* Keeps the failure, or forgets the last one. Returns true if those who listen should be told. */
static bool set_trouble(struct passwords *passwords, const struct err *err)
{
    bool is_news = err && !text_same(passwords->trouble.text, err->text);

    passwords->trouble.text[0] = '\0';
    if (err)
        passwords->trouble = *err;
    if (err && !err->advice) /* an answer that splunkd should not give: no such address, not JSON */
        diagnosis_blame(&passwords->trouble, DIAGNOSIS_SPLUNKD_BUSY);
    return is_news && passwords->troubled;
}

void passwords_note(struct passwords *passwords, const struct err *err)
{
    if (set_trouble(passwords, err))
        passwords->troubled(passwords->troubled_ctx);
}

static void load_trying(void *ctx, const struct err *err)
{
    passwords_note(ctx, err);
}

static void on_loaded(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct passwords *passwords = ctx;
    struct password_load *load = passwords->load;
    rest_done_fn *done = load->done;
    void *done_ctx = load->ctx;
    struct secret_list entries = { 0 };
    struct err why = *err;
    void (*troubled)(void *ctx), *troubled_ctx = passwords->troubled_ctx;

    if (ok && !passwords_read_entries(&load->body, &entries))
        ok = err_set(&why, ERR_RETRY,
                     "splunkd's list of stored passwords cannot be read: it is not a JSON list of "
                     "entries");
    if (ok) {
        secret_list_clear(&passwords->whole);
        secret_list_clear(&passwords->entries);
        passwords->entries = entries;
        passwords->truncation = TRUNCATES_UNKNOWN;
        join_entries(passwords);
    }
    load_free(passwords);
    troubled = set_trouble(passwords, ok ? NULL : &why) ? passwords->troubled : NULL;
    done(done_ctx, ok, &why); /* first: a status line says when the next try is */
    if (troubled)
        troubled(troubled_ctx);
}

void passwords_load(struct passwords *passwords, rest_done_fn *done, void *ctx)
{
    struct password_load *load = mem_alloc(sizeof(*load));

    load_free(passwords);
    *load = (struct password_load){ .call = { .rest = passwords->rest,
                                              .done = on_loaded,
                                              .trying = load_trying,
                                              .ctx = passwords,
                                              .body = &load->body },
                                    .body = BUF_INIT(LISTING_MAX),
                                    .done = done,
                                    .ctx = ctx };
    passwords->load = load;
    rest_call_start(&load->call, NULL,
                    rest_url(passwords->rest, APP_NAME, PASSWORDS_ENDPOINT, NULL,
                             "count=0&search=realm%3D" APP_NAME "&f=realm&f=username&f=clear_password"),
                    NULL);
}

const char *passwords_get(const struct passwords *passwords, const char *name)
{
    return secret_list_get(&passwords->whole, name);
}

const char *passwords_hosts(const struct passwords *passwords, const char *name)
{
    CLEANUP(mem_freep) char *note = secret_hosts_name(name);

    return secret_hosts_of(secret_list_get(&passwords->whole, note), passwords_get(passwords, name));
}
