/* splunk/value.h - one parameter's text to its typed value, by the parameter's type. */
#pragma once

#include "base/err.h"
#include "splunk/input.h"
#include "splunk/params.h"

/* Parses a trimmed, non-empty value into the parameter's member of *input. On false err says what the value is (never a
 * secret) and what it should be. Base URLs lose a trailing slash here. */
bool value_parse(const struct param *param, const char *value, enum file_check check, struct input *input,
                 struct err *err);
