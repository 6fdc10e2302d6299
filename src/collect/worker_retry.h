/* collect/worker_retry.h - what a worker does after a response that was not as it should be. */
#pragma once

#include "collect/reading.h"

/* The failure passes. may_be_size: asking for less may help; after some failures in a row the page is made
 * smaller. */
struct next worker_retry_failed(struct reading *reading, const struct err *err, bool may_be_size);

/* The service asks this app and tenant to wait. */
struct next worker_retry_throttled(struct reading *reading, const struct err *err);

/* The request was refused with 401, 403 or 404. It is repeated with a fresh token after seconds, since a refusal may
 * pass; then a person has to act. */
struct next worker_retry_refused(struct reading *reading, const struct err *err);

/* The query was refused with 400. The same one is repeated after seconds, then simpler variants are tried, then a
 * person has to act. */
struct next worker_retry_bad_request(struct reading *reading, const struct err *err);

/* The response was as it should be: pages may grow again. */
void worker_retry_recovered(struct reading *reading);

/* Makes the window smaller. Returns false if that is not possible. */
bool worker_retry_split(struct reading *reading, const struct page_stats *stats);
