/* collect/order.h - reads in ascending order of update time where more than one page is to be expected.
 *
 * A query in order saves the search for windows that one response can hold: each page settles all of its records but
 * the last ones (state/keyset.h). It is used for a backfill, for a plan of several windows and for a poll that reaches
 * far back, not for the regular polls.
 *
 * $orderby is not in the reference of any of the APIs, so it is not relied on. A service that refuses it, whose response
 * is not ascending, or whose count does not agree with its records is not asked for it for some hours. The input's
 * windows are then planned by their size, as if there were no order. */
#pragma once

#include "collect/reading.h"

/* Returns true if the next request, the first of its window, asks for order. */
bool order_is_wanted(const struct reading *reading, ticks now, int64_t now_ms);

enum order_next {
    ORDER_NONE, /* the page is to be taken like any other */
    ORDER_MORE, /* the page was taken: send the next request */
    ORDER_SPLIT /* the page does not hold all of its window, and settles nothing: make the window smaller */
};

/* Takes a page of a query in order that was read completely. */
enum order_next order_take(struct reading *reading, const struct page_taken *page, int64_t now_ms);

/* A query in order was refused with 400: the service does not take it. */
void order_refused(struct reading *reading, const struct err *err, int64_t now_ms);

/* A query in order failed: the same records are asked for plainly, in a narrow window. */
void order_failed(struct reading *reading);
