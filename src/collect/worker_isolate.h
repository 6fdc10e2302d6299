/* collect/worker_isolate.h - a window that fails while others are answered is set aside (state/quarantine.h). */
#pragma once

#include "collect/reading.h"

/* A window failed in a way that may be its own: a 5xx, a truncated response, JSON that breaks among the records. It is
 * requested once more, since most failures pass. Then evidence decides. */
struct next worker_isolate_failed(struct reading *reading, const struct err *err, bool broke, bool may_be_size,
                                  int64_t now_ms);
/* The window fails alone: it is set aside, and the worker continues past it. */
struct next worker_isolate(struct reading *reading, int64_t now_ms);
/* A quarantined window is about to be recorded as read: the other half of one that failed may be halved. */
void worker_isolate_infer(const struct reading *reading);
