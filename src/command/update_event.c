#include "command/update_event.h"

#include "base/text.h"
#include "base/ticks.h"

static void add(struct buf *ret, const char *name, const char *value)
{
    if (text_empty(value))
        return;
    buf_add_format(ret, ",\"%s\":", name);
    buf_add_json(ret, value);
}

static void add_number(struct buf *ret, const char *name, int value)
{
    if (value)
        buf_add_format(ret, ",\"%s\":%d", name, value);
}

static void add_change(struct buf *ret, const struct change *change, bool comment)
{
    add(ret, "kind", change_kind_word(change->kind));
    add(ret, "id", change->id);
    if (comment) {
        add(ret, "comment", change->comment);
        return;
    }
    add(ret, "status", change->status);
    add(ret, "assigned_to", change->assigned_to);
    add(ret, "classification", change->classification);
    add(ret, "determination", change->determination);
}

/* What Enterprise Security joins by. */
static void add_origin(struct buf *ret, const struct action *action)
{
    add(ret, "user", action->owner);
    add(ret, "search_name", action->search_name);
    add(ret, "sid", action->sid);
    add(ret, "rid", action_field(action, "rid"));
    add(ret, "orig_sid", action_field(action, "orig_sid"));
    add(ret, "orig_rid", action_field(action, "orig_rid"));
}

void update_event(const struct update_try *try, int64_t now_ms, struct buf *ret)
{
    const char *mode = text_empty(try->action->search_name) ? "adhoc" : "saved";
    char time[TICKS_TEXT_MAX];

    ticks_text(ticks_from_ms(now_ms), time);
    buf_add_format(ret, "{\"time\":\"%s\",\"action_name\":\"" UPDATE_ACTION "\",\"action_mode\":\"%s\"", time, mode);
    add(ret, "action_status", try->result == UPDATE_DONE ? "success" : "failure");
    add(ret, "result", update_result_word(try->result));
    add(ret, "customer", try->customer);
    add(ret, "tenant_id", try->tenant_id);
    if (try->change)
        add_change(ret, try->change, try->comment);
    add_number(ret, "try", try->number);
    add_number(ret, "http_status", try->status);
    add(ret, "why", try->why);
    add_origin(ret, try->action);
    buf_add_char(ret, '}');
}
