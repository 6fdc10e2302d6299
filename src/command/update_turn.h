/* command/update_turn.h - updates take turns: one at a time on this host, with a pause after each. */
#pragma once

#include "base/err.h"

/* Waits for the turn, most_ms at most. It ends with the process. splunk_home NULL: there is no place for a lock, and no
 * turn is taken. Returns false with err (ERR_RETRY) if the turn does not come. */
bool update_turn_take(const char *splunk_home, int64_t most_ms, struct err *err);
