/* splunk/value.h - one parameter's text to its typed value, by the parameter's type. Used by params.c alone. */
#pragma once

#include "splunk/params.h"

/* Reads a trimmed, non-empty value into the parameter's member of *input. On false err says what it held (never a
 * secret) and what it should hold. */
bool value_parse(const struct param *param, const char *value, bool check_files, struct input *input,
                 struct err *err);

/* "a whole number of seconds from 1 to 86400": what the parameter should be. Good until the next call. */
const char *value_wanted(const struct param *param);
