#include "command/alert_set.h"

#include "base/buf.h"
#include "base/text.h"
#include "messages/log_events.h"
#include "microsoft/api.h"
#include "splunk/data_inputs.h"
#include "splunk/filter.h"
#include "splunk/params.h"

#define TEXT_MAX 65536

struct alert_set alert_set_of_input(const struct input *input, const char *tid)
{
    return (struct alert_set){ .name = input->name,
                               .tenant_id = input->tenant_id,
                               .tid = tid,
                               .api = api_at(input->api)->name,
                               .filter = input->filter };
}

bool alert_set_of_stanza(const struct raw_stanza *stanza, struct alert_set *ret)
{
    const char *api = stanza_value(stanza, "api");

    *ret = (struct alert_set){ .name = stanza_input_name(stanza),
                               .tenant_id = stanza_value(stanza, "tenant_id"),
                               .api = text_empty(api) ? param_find("api")->default_text : api,
                               .filter = stanza_value(stanza, "filter") };
    return !stanza_is_disabled(stanza);
}

bool alert_set_of_entry(const cJSON *entry, struct alert_set *ret)
{
    const cJSON *content = json_member(entry, "content");
    const char *name = json_text(entry, "name"), *api = json_text(content, "api");

    *ret = (struct alert_set){ .name = name ? name : "",
                               .tenant_id = json_text(content, "tenant_id"),
                               .api = text_empty(api) ? param_find("api")->default_text : api,
                               .filter = json_text(content, "filter") };
    return !data_inputs_is_disabled(entry);
}

/* Returns the tenant's GUID, or NULL. */
static const char *guid_of(const struct alert_set *set)
{
    return text_is_guid(set->tenant_id) ? set->tenant_id : text_is_guid(set->tid) ? set->tid : NULL;
}

static bool same_tenant(const struct alert_set *a, const struct alert_set *b)
{
    const char *one = guid_of(a), *other = guid_of(b);

    if (one && other)
        return text_same_nocase(one, other);
    return !text_empty(a->tenant_id) && !text_empty(b->tenant_id) && text_same_nocase(a->tenant_id, b->tenant_id);
}

bool alert_sets_meet(const struct alert_set *a, const struct alert_set *b)
{
    return same_tenant(a, b) && text_same_nocase(a->api, b->api) && !filters_exclude(a->filter, b->filter);
}

char *alert_set_sentence(const struct alert_set *other, size_t more)
{
    const struct remedy *remedy = &event_table[EVENT_DUPLICATE].remedy;
    struct buf text = BUF_INIT(TEXT_MAX);

    buf_add_format(&text, "it reads the same alerts as the input '%s'", other->name);
    if (more)
        buf_add_format(&text, " and %zu more", more);
    buf_add_format(&text, " (tenant %s, api %s), so each of them is written twice", other->tenant_id, other->api);
    remedy_add(&text, remedy->responsible, remedy->advice);
    return buf_take(&text);
}
