/* collect/worker_log.h - what a worker says of its decisions. */
#pragma once

#include "collect/reading.h"

/* Logs a decision, once per kind of trouble. The quarantine worker says nothing: its windows are logged when they are
 * isolated. Nor does an audit, which has a result. */
void worker_log(const struct reading *reading, const struct next *next);
