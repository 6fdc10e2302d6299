/* splunk/data_inputs.h - our inputs' stanzas through splunkd's REST interface (data/inputs/defender_alerts).
 *
 * splunkd ends and restarts this program when an input is created or edited. Several calls may be in flight. */
#pragma once

#include "base/json.h"
#include "splunk/rest.h"

struct data_inputs;

/* Never returns NULL. */
struct data_inputs *data_inputs_new(struct rest *rest);
/* Before the rest; NULL is allowed. Calls in flight get no answer. */
void data_inputs_free(struct data_inputs *inputs);

/* Lists all inputs of our kind in every app: an array of { name, acl: { app }, content }, valid until done returns. */
typedef void data_inputs_listed_fn(void *ctx, bool ok, const cJSON *list, const struct err *err);
void data_inputs_list(struct data_inputs *inputs, data_inputs_listed_fn *done, void *ctx);

/* Returns true if an entry of the list is disabled, in whichever of its ways splunkd writes that. */
bool data_inputs_is_disabled(const cJSON *entry);

/* Asks about one input of our kind, by its name, in every app. */
enum data_input_found {
    DATA_INPUT_UNKNOWN, /* splunkd does not say */
    DATA_INPUT_GONE,
    DATA_INPUT_DISABLED,
    DATA_INPUT_ENABLED
};
typedef void data_inputs_found_fn(void *ctx, enum data_input_found found);
void data_inputs_find(struct data_inputs *inputs, const char *name, data_inputs_found_fn *done, void *ctx);

/* Creates an input in our app. name_value: name, value, name, value, ..., NULL; holds the input's name as "name". */
void data_inputs_create(struct data_inputs *inputs, const char *const *name_value, rest_done_fn *done, void *ctx);

/* Changes the given parameters of one input in the app where its stanza lives. app NULL or "": ours. */
void data_inputs_edit(struct data_inputs *inputs, const char *app, const char *name, const char *const *name_value,
                      rest_done_fn *done, void *ctx);
