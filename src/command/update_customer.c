/* The customer of an update: an input of this instance, with its credential. */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "collect/target.h"
#include "command/saved_input.h"
#include "command/token_once.h"
#include "command/update_private.h"
#include "splunk/app.h"
#include "splunk/secret_name.h"

const char *update_customer(const struct update *update)
{
    const char *name = action_param(&update->action, "customer"), *scheme = SCHEME_NAME "://";

    if (text_empty(name))
        name = action_field(&update->action, "customer");
    return text_starts(name, scheme) ? name + strlen(scheme) : name;
}

/* Sets where the requests go. An input of another API has the hosts of its cloud: alerts have the same IDs there. */
static void set_destination(struct update *update)
{
    struct target target;
    bool graph;

    target_of(&update->input, &target);
    graph = target.api == &api_graph || target.api == &api_incidents;
    update->to = (struct destination){ .login_url = target.login_url,
                                       .api_url = graph ? target.base_url : api_graph.host[update->input.cloud],
                                       .resource = graph ? target.resource : api_graph.resource[update->input.cloud] };
}

/* Ends the update because of splunkd. A capability that is missing is not there the next time either. */
static void end_by_splunkd(struct update *update, const struct err *err)
{
    update_end_before(update, text_same(err->cause, "splunkd_rights") ? UPDATE_REFUSED : UPDATE_FAILED, err->text);
}

static void loaded(void *ctx, bool ok, const struct err *err)
{
    struct update *update = ctx;
    CLEANUP(mem_freep) char *proxy_name = secret_name_proxy(update->input.name);
    struct err why;

    if (!ok) {
        end_by_splunkd(update, err);
        return;
    }
    set_destination(update);
    if (!binding_allows_input(update->once.passwords, &update->input, &update->to, &why)) {
        update_end_before(update, UPDATE_REFUSED, why.text);
        return;
    }
    update->proxy = target_proxy(&update->input, passwords_get(update->once.passwords, proxy_name));
    update->route = (struct http_route){ .ca_file = update->input.ca_file, .proxy = update->proxy };
    update->listener = (struct token_listener){ .changed = update_continue, .ctx = update };
    update->source = token_once(&(struct token_once_spec){ .principals = update->once.principals,
                                                           .input = &update->input,
                                                           .to = &update->to,
                                                           .route = &update->route,
                                                           .passwords = update->once.passwords },
                                &update->listener);
    update_continue(update);
}

/* Returns the entry of that name; of several in different apps the one that is enabled. */
static const cJSON *find_entry(const cJSON *list, const char *name)
{
    const cJSON *entry, *found = NULL;

    cJSON_ArrayForEach(entry, list)
    {
        if (text_same(json_text(entry, "name"), name) && (!found || !data_inputs_is_disabled(entry)))
            found = entry;
    }
    return found;
}

static void take_entry(struct update *update, const cJSON *entry)
{
    const char *index = json_text(json_member(entry, "content"), "index");
    struct err err;

    if (!saved_input_read(entry, &update->input, &err)) {
        update_end_before(update, UPDATE_BAD_INPUT, err.text);
        return;
    }
    update->has_input = true;
    if (!text_empty(index) && !text_same(index, "default"))
        update->index = mem_text(index);
    if (update->input.allow_update == ALLOW_UPDATE_YES)
        passwords_load(update->once.passwords, loaded, update);
    else
        update_end_before(
            update, UPDATE_REFUSED,
            "the customer's input does not allow updates; set allow_update of the input to yes, after the "
            "customer has agreed to it");
}

static void listed(void *ctx, bool ok, const cJSON *list, const struct err *err)
{
    struct update *update = ctx;
    CLEANUP(mem_freep) char *why = NULL;
    const cJSON *entry;

    if (!ok) {
        end_by_splunkd(update, err);
        return;
    }
    entry = find_entry(list, update_customer(update));
    if (entry) {
        take_entry(update, entry);
        return;
    }
    why = mem_format("this Splunk instance has no input '%.128s' of Defender alerts; customer should be the name of an "
                     "input, and the action has to run where the inputs are",
                     update_customer(update));
    update_end_before(update, UPDATE_BAD_INPUT, why);
}

void update_find_customer(struct update *update)
{
    data_inputs_list(update->once.inputs, listed, update);
}
