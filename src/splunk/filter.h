/* splunk/filter.h - whether two OData filters can let the same record pass. */
#pragma once

#include "base/compiler.h"

/* Returns true if no record can match both filters, as far as the texts show it: each way through `or` of one has a
 * property whose value (eq, ne; texts, true, false, null) contradicts one of the other. Whatever else is compared
 * counts as matching. NULL and "" match everything. */
bool filters_exclude(const char *a, const char *b);
