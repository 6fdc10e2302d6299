/* Any bytes as the payload of the alert action: a refusal is one plain line, and what is read makes a request and a
 * result event that are JSON. */
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "command/update_event.h"
#include "fuzz.h"
#include "microsoft/change.h"
#include "splunk/action.h"

#define BASE "https://graph.microsoft.com"

static bool is_utf8(const char *text, size_t len)
{
    size_t i, step;

    for (i = 0; i < len; i += step)
        if (!(step = utf8_length((const unsigned char *)text + i, len - i)))
            return false;
    return true;
}

/* Our own writing: an object of valid UTF-8. Returns its tree. */
static cJSON *written(const struct buf *text)
{
    cJSON *tree = json_parse(text->data, text->len);

    need(!text->full, "it has room");
    need(cJSON_IsObject(tree), "what is written is a JSON object");
    need(is_utf8(text->data, text->len), "what is written is UTF-8");
    return tree;
}

static void check_request(const struct change *change, bool comment)
{
    struct buf url = BUF_INIT(8192), body = BUF_INIT(1 << 20);
    cJSON *tree;

    change_url(change, BASE, comment, &url);
    need(text_starts(buf_text(&url), BASE "/v1.0/security/"), "the request stays at its service");
    need(!strpbrk(buf_text(&url), " ?#&\\\r\n") && !strstr(buf_text(&url), "/.."), "the ID is one step of the path");
    change_body(change, comment, &body);
    tree = written(&body);
    need(!comment || json_text(tree, "comment"), "a comment is sent");
    need(comment || cJSON_GetArraySize(tree) > 0, "something is changed");
    cJSON_Delete(tree);
    buf_free(&url);
    buf_free(&body);
}

static void check_event(const struct action *action, const struct change *change, const char *why)
{
    const struct update_try try = { .action = action,
                                    .customer = action_param(action, "customer"),
                                    .change = change,
                                    .comment = change && !change_has_members(change),
                                    .result = change ? UPDATE_DONE : UPDATE_BAD_INPUT,
                                    .why = why };
    struct buf text = BUF_INIT(64 << 20);
    cJSON *tree;

    update_event(&try, 0, &text);
    need(!strpbrk(buf_text(&text), "\r\n"), "an event is one line");
    need(!strstr(buf_text(&text), "\"session_key\":"), "an event has no session key");
    tree = written(&text);
    need(!strcmp(json_text(tree, "action_status"), change ? "success" : "failure"), "nothing overwrites the status");
    cJSON_Delete(tree);
    buf_free(&text);
}

static void check_action(const struct action *action)
{
    const char *id = action_param(action, "id");
    const struct change_words words = { .kind = action_param(action, "kind"),
                                        .id = *id ? id : action_field(action, "id"),
                                        .status = action_param(action, "status"),
                                        .classification = action_param(action, "classification"),
                                        .determination = action_param(action, "determination"),
                                        .assigned_to = action_param(action, "assigned_to"),
                                        .comment = action_param(action, "comment") };
    struct change change;
    struct err err = { 0 };

    if (!action_is_filled(action, &err) || !change_read(&words, &change, &err)) {
        need(err.kind == ERR_INPUT && *err.text && !strpbrk(err.text, "\r\n"), "a refusal is one line");
        check_event(action, NULL, err.text);
        return;
    }
    need(change_has_members(&change) || change.comment, "a change changes something");
    if (change_has_members(&change))
        check_request(&change, false);
    if (change.comment)
        check_request(&change, true);
    check_event(action, &change, NULL);
    change_release(&change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct action action;
    struct err err = { 0 };

    if (!action_read((const char *)data, size, &action, &err)) {
        need(err.kind == ERR_INPUT && utf8_is_plain(err.text), "a refusal is one plain line");
        need(!action.tree, "a refusal leaves nothing");
        return 0;
    }
    need(*action.server_uri && *action.session_key, "a payload says where splunkd is");
    need(action.owner && action.search_name && action.sid, "texts, if empty ones");
    check_action(&action);
    action_release(&action);
    return 0;
}
