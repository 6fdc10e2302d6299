/* command/share_end.h - when a token of the shared store ends, in words. */
#pragma once

#include "base/buf.h"

enum share_end { SHARE_END_NEVER, SHARE_END_FAR, SHARE_END_SOON, SHARE_END_PAST };

/* Adds "has no end", "ends on 2027-01-31 (in 62 days)" or "ended on 2026-11-01". ends_s, now_s: seconds since 1970;
 * ends_s 0: it has none. SOON is within 30 days. */
enum share_end share_end_add(struct buf *to, int64_t ends_s, int64_t now_s);
