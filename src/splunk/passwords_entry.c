/* One entry of the password store: updated or created, then read back; or deleted (passwords_private.h). */
#include "splunk/passwords_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "splunk/app.h"
#include "splunk/passwords_pieces.h"

#define TURNS_MOST 4 /* between 409 (exists) and 404 (does not exist) */

/* Returns the URL of an entry; name NULL: of the whole store. splunkd's id of an entry is "realm:name:", and neither of
 * ours holds a ':' that would be escaped in it. Caller frees. */
static char *entry_url(const struct passwords *passwords, const char *name)
{
    CLEANUP(mem_freep) char *id = name ? mem_format(APP_NAME ":%s:", name) : NULL;

    return rest_url(passwords->rest, APP_NAME, PASSWORDS_ENDPOINT, id, NULL);
}

static void send_call(struct password_entry *entry, enum entry_call asked)
{
    struct buf form = BUF_INIT(3 * (strlen(entry->name) + strlen(entry->value)) + 256);
    char *url = entry_url(entry->passwords, asked == ENTRY_CREATE ? NULL : entry->name);

    entry->asked = asked;
    if (asked == ENTRY_READ) {
        rest_call_start(&entry->call, NULL, url, NULL);
        return;
    }
    buf_room(&form, form.limit); /* at once: growth would leave copies in freed memory */
    if (asked == ENTRY_CREATE) {
        buf_add_form(&form, "name", entry->name);
        buf_add_form(&form, "realm", APP_NAME);
    }
    buf_add_form(&form, "password", entry->value);
    rest_call_start(&entry->call, NULL, url, buf_take(&form));
}

/* Returns true if the entry was read back as it was written. */
static bool is_back(const struct password_entry *entry, const struct http_result *result)
{
    CLEANUP(rest_json_freep) cJSON *tree = json_parse(result->body, result->body_len);
    const cJSON *item = cJSON_GetArrayItem(json_member(tree, "entry"), 0);

    return text_same(json_text(json_member(item, "content"), "clear_password"), entry->value);
}

/* Returns true if the store refused the value for its length. Some versions answer 400 instead of truncating. */
static bool refused_as_too_long(const struct password_entry *entry, const struct http_result *result)
{
    return result->fault == HTTP_DONE && result->status == 400 && strlen(entry->value) > STORE_KEEPS_BYTES;
}

/* Takes an answer of splunkd. A refusal of one value is no trouble of the store. */
static void on_answer(void *ctx, const struct http_result *result, bool ok, const struct err *err)
{
    struct password_entry *entry = ctx;
    int status = result->fault == HTTP_DONE ? result->status : 0;

    passwords_note(entry->passwords, ok || err->kind == ERR_INPUT ? NULL : err);
    if (entry->asked == ENTRY_READ && (ok || status == 404)) {
        entry->done(entry->ctx, ok && is_back(entry, result) ? ENTRY_KEPT : ENTRY_CHANGED, err);
    } else if (ok) {
        secret_list_set(&entry->passwords->entries, entry->name, "");
        send_call(entry, ENTRY_READ);
    } else if (entry->asked == ENTRY_UPDATE && status == 404 && ++entry->turns < TURNS_MOST) {
        send_call(entry, ENTRY_CREATE);
    } else if (entry->asked == ENTRY_CREATE && status == 409 && ++entry->turns < TURNS_MOST) {
        send_call(entry, ENTRY_UPDATE);
    } else if (entry->asked != ENTRY_READ && refused_as_too_long(entry, result)) {
        entry->done(entry->ctx, ENTRY_CHANGED, err);
    } else {
        entry->done(entry->ctx, ENTRY_FAILED, err);
    }
}

static void on_deleted(void *ctx, const struct http_result *result UNUSED, bool ok UNUSED, const struct err *err)
{
    struct password_entry *entry = ctx;

    entry->done(entry->ctx, ENTRY_DELETED, err);
}

static void on_trying(void *ctx, const struct err *err)
{
    const struct password_entry *entry = ctx;

    passwords_note(entry->passwords, err);
}

void password_entry_init(struct password_entry *entry, struct passwords *passwords, entry_done_fn *done, void *ctx)
{
    *entry = (struct password_entry){ .passwords = passwords, .done = done, .ctx = ctx };
    entry->call = (struct rest_call){ .rest = passwords->rest, .trying = on_trying, .ctx = entry };
}

void password_entry_write(struct password_entry *entry, char *name, char *value)
{
    free(entry->name);
    mem_free_secret(entry->value);
    entry->name = name;
    entry->value = value;
    entry->turns = 0;
    entry->call.done = on_answer;
    send_call(entry, secret_list_get(&entry->passwords->entries, name) ? ENTRY_UPDATE : ENTRY_CREATE);
}

void password_entry_delete(struct password_entry *entry, const char *name)
{
    char *url = entry_url(entry->passwords, name);

    secret_list_remove(&entry->passwords->entries, name);
    entry->call.done = on_deleted;
    rest_call_start(&entry->call, "DELETE", url, NULL);
}

void password_entry_release(struct password_entry *entry)
{
    rest_call_stop(&entry->call);
    free(entry->name);
    mem_free_secret(entry->value);
}
