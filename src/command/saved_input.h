/* command/saved_input.h - the input as splunkd has it, before it is saved again. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "splunk/input.h"

/* Reads an entry of data_inputs_list() by the table of parameters. Returns false with err if it cannot be used. Free *ret
 * with input_free(). */
bool saved_input_read(const cJSON *entry, struct input *ret, struct err *err);

/* Returns true if the list of data_inputs_list() has an input of this name that signs in and asks for alerts in
 * the same way: all that is different is how often, from when on, or a secret that became a mask. */
bool saved_input_is_same(const cJSON *list, const struct input *input);
