/* splunk/value_hint.h - what to enter in place of what people often paste: an e-mail address, the address of a portal, a
 * GUID in quotes, a date in the order of their country. */
#pragma once

#include "splunk/params.h"

/* Returns what to do with a value that was refused, ". <sentence without a period>"; "": it is nothing that people often
 * paste. */
const char *value_hint(const struct param *param, const char *value);
