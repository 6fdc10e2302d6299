#include "command/save_duplicates.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/noted.h"
#include "splunk/data_inputs.h"

struct search {
    struct alert_set own;
    const char *checkpoint_dir;
    struct loop *loop;
    bool listed;
    char *sentence;
};

/* Compares by what the texts say first: reading a checkpoint takes longer. */
static bool meets(const struct search *search, struct alert_set *other)
{
    CLEANUP(mem_freep) char *tid = NULL;
    struct alert_set known = *other;

    if (text_same(other->name, search->own.name) || text_empty(other->tenant_id))
        return false;
    if (alert_sets_meet(&search->own, other))
        return true;
    known.tenant_id = search->own.tenant_id;
    if (text_is_guid(other->tenant_id) ||
        !alert_sets_meet(&search->own, &known)) /* not even if the tenant is the same */
        return false;
    tid = noted_text(search->checkpoint_dir, other->name, "tid"); /* the GUID of its tenant */
    known = *other;
    known.tid = tid;
    return alert_sets_meet(&search->own, &known);
}

static void listed(void *ctx, bool ok, const cJSON *list, const struct err *err UNUSED)
{
    struct search *search = ctx;
    struct alert_set other, first = { 0 };
    const cJSON *entry;
    size_t count = 0;

    search->listed = ok;
    if (ok) {
        cJSON_ArrayForEach(entry, list)
        {
            if (alert_set_of_entry(entry, &other) && meets(search, &other) && !count++)
                first = other;
        }
    }
    if (count)
        search->sentence = alert_set_sentence(&first, count - 1);
    loop_stop(search->loop);
}

bool save_duplicates_find(const struct input *input, const char *tenant, const struct config *config, int most_s,
                          char **ret)
{
    struct search search = { .own = alert_set_of_input(input, tenant), .checkpoint_dir = config->checkpoint_dir };
    struct http *http;
    struct rest *rest;
    struct data_inputs *inputs;

    if (text_empty(config->session_key) || text_empty(config->server_uri))
        return false;
    search.loop = loop_new();
    http = http_new(search.loop);
    rest = rest_new(search.loop, http, config->server_uri, config->session_key, getenv("SPLUNK_HOME"));
    rest_hurry(rest, most_s);
    inputs = data_inputs_new(rest);
    data_inputs_list(inputs, listed, &search);
    loop_run(search.loop);
    data_inputs_free(inputs);
    rest_free(rest);
    http_free(http);
    loop_free(search.loop);
    *ret = search.sentence;
    return search.listed;
}
