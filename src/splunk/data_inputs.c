#include "splunk/data_inputs.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "splunk/app.h"
#include "splunk/rest_call.h"
#include "splunk/stanza.h"

#define ENDPOINT    "data/inputs/" SCHEME_NAME
#define LISTING_MAX (64 * 1024 * 1024) /* thousands of inputs, with all that splunkd adds to each entry */

struct input_call {
    struct data_inputs *inputs;
    struct input_call *next;
    struct rest_call call;
    rest_done_fn *done;
    data_inputs_listed_fn *listed; /* of a listing, in place of done */
    data_inputs_found_fn *found;   /* of a question about one input, in place of done */
    void *ctx;
    struct buf body;
};

struct data_inputs {
    struct rest *rest;
    struct input_call *calls; /* in flight */
};

struct data_inputs *data_inputs_new(struct rest *rest)
{
    struct data_inputs *inputs = mem_alloc(sizeof(*inputs));

    inputs->rest = rest;
    return inputs;
}

static struct input_call *input_call_new(struct data_inputs *inputs, rest_call_fn *ended, void *ctx)
{
    struct input_call *call = mem_alloc(sizeof(*call));

    *call = (struct input_call){ .inputs = inputs,
                                 .next = inputs->calls,
                                 .ctx = ctx,
                                 .call = { .rest = inputs->rest, .done = ended, .ctx = call } };
    return inputs->calls = call;
}

static void input_call_free(struct input_call *call)
{
    struct input_call **slot = &call->inputs->calls;

    while (*slot != call)
        slot = &(*slot)->next;
    *slot = call->next;
    rest_call_stop(&call->call);
    buf_free_secret(&call->body);
    free(call);
}

void data_inputs_free(struct data_inputs *inputs)
{
    while (inputs && inputs->calls)
        input_call_free(inputs->calls);
    free(inputs);
}

bool data_inputs_is_disabled(const cJSON *entry)
{
    const cJSON *item = json_member(json_member(entry, "content"), "disabled");

    if (cJSON_IsNumber(item))
        return item->valuedouble != 0;
    return cJSON_IsTrue(item) || stanza_truth(cJSON_GetStringValue(item));
}

static char *form_of(const char *const *name_value)
{
    struct buf form = BUF_INIT(HTTP_BODY_MAX);

    for (; name_value[0]; name_value += 2)
        buf_add_form(&form, name_value[0], name_value[1]);
    return buf_take(&form);
}

static void on_changed(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct input_call *call = ctx;
    rest_done_fn *done = call->done;
    void *done_ctx = call->ctx;

    input_call_free(call);
    done(done_ctx, ok, err);
}

void data_inputs_create(struct data_inputs *inputs, const char *const *name_value, rest_done_fn *done, void *ctx)
{
    struct input_call *call = input_call_new(inputs, on_changed, ctx);

    call->done = done;
    rest_call_start(&call->call, NULL, rest_url(inputs->rest, APP_NAME, ENDPOINT, NULL, NULL), form_of(name_value));
}

void data_inputs_edit(struct data_inputs *inputs, const char *app, const char *name, const char *const *name_value,
                      rest_done_fn *done, void *ctx)
{
    struct input_call *call = input_call_new(inputs, on_changed, ctx);

    call->done = done;
    rest_call_start(&call->call, NULL, rest_url(inputs->rest, text_empty(app) ? APP_NAME : app, ENDPOINT, name, NULL),
                    form_of(name_value));
}

static void on_listed(void *ctx, const struct http_result *result UNUSED, bool ok, const struct err *err)
{
    struct input_call *call = ctx;
    CLEANUP(rest_json_freep) cJSON *tree = ok ? json_parse(call->body.data, call->body.len) : NULL;
    const cJSON *list = json_member(tree, "entry");
    data_inputs_listed_fn *listed = call->listed;
    void *listed_ctx = call->ctx;
    struct err why = *err;

    if (ok && !cJSON_IsArray(list))
        ok = err_set(&why, ERR_RETRY, "splunkd's list of inputs cannot be read: it is not a JSON list of entries");
    input_call_free(call);
    listed(listed_ctx, ok, list, &why);
}

void data_inputs_list(struct data_inputs *inputs, data_inputs_listed_fn *done, void *ctx)
{
    struct input_call *call = input_call_new(inputs, on_listed, ctx);

    call->listed = done;
    call->body = BUF_INIT(LISTING_MAX);
    call->call.body = &call->body;
    call->call.rights = "list_inputs";
    /* splunkd lists 30 entries by default. */
    rest_call_start(&call->call, NULL, rest_url(inputs->rest, "-", ENDPOINT, NULL, "count=0"), NULL);
}

static enum data_input_found found_in(const struct http_result *result, bool ok)
{
    CLEANUP(rest_json_freep) cJSON *tree = ok ? json_parse(result->body, result->body_len) : NULL;
    const cJSON *entry = cJSON_GetArrayItem(json_member(tree, "entry"), 0);

    if (!ok)
        return result->fault == HTTP_DONE && result->status == 404 ? DATA_INPUT_GONE : DATA_INPUT_UNKNOWN;
    if (!json_member(entry, "content"))
        return DATA_INPUT_UNKNOWN;
    return data_inputs_is_disabled(entry) ? DATA_INPUT_DISABLED : DATA_INPUT_ENABLED;
}

static void on_found(void *ctx, const struct http_result *result, bool ok, const struct err *err UNUSED)
{
    struct input_call *call = ctx;
    data_inputs_found_fn *done = call->found;
    void *done_ctx = call->ctx;
    enum data_input_found found = found_in(result, ok);

    input_call_free(call);
    done(done_ctx, found);
}

void data_inputs_find(struct data_inputs *inputs, const char *name, data_inputs_found_fn *done, void *ctx)
{
    struct input_call *call = input_call_new(inputs, on_found, ctx);

    call->found = done;
    rest_call_start(&call->call, NULL, rest_url(inputs->rest, "-", ENDPOINT, name, NULL), NULL);
}
