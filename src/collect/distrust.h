/* collect/distrust.h - ends the reliance on a service that does not keep its word (collect/reliance.h). */
#pragma once

#include "collect/reading.h"

/* The service does not sort as it says, or does not count: for some hours that is not relied on. */
void distrust_ask(struct reading *reading, enum ask ask, const char *why, int64_t now_ms);
/* What is sent in order may not even be all that was found. */
void distrust_all(struct reading *reading, const char *why, int64_t now_ms);
