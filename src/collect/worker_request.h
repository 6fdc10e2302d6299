/* collect/worker_request.h - the worker's next request: its window, its address, where the response goes. */
#pragma once

#include "collect/reading.h"
#include "microsoft/page.h"

/* Prepares the reading for a request: chooses the window unless a chain of pages is being read, and clears what belongs
 * to the last response. now_ms is monotonic. Returns false if there is nothing to read any more. */
bool worker_request_prepare(struct reading *reading, int64_t now_ms);

#define WORKER_URL_MOST (1 << 20)

/* Takes over the service's clock from the Date of the response, if it is to be believed; it bounds the watermark. date_ms:
 * Unix milliseconds, 0: the response has none. took_ms: since the request was sent. */
void worker_request_dated(struct reading *reading, int64_t date_ms, int64_t took_ms);

/* Appends the request's URL. Until the next response is taken, it is also the URL of the page that came. */
void worker_request_url(struct reading *reading, struct buf *url);
