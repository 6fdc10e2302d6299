/* collect/order.h - reads in ascending order of update time where more than one page is to be expected.
 *
 * A query in order saves the search for windows that one response can hold: each page settles all of its records but
 * the last ones (state/keyset.h). It is used for a backfill, for a plan of several windows and for a poll that reaches
 * far back, not for the regular polls. A service that has not proven its order yet is asked for it when a count, or a
 * page that is too much, tells that there are several pages.
 *
 * $orderby is not in the reference of any of the APIs, so it is not relied on. A service that refuses it, whose response
 * is not ascending, or whose count does not agree with its records is not asked for it for four hours. Then a window is
 * read page after page if the service's count can prove that they held all of it (pages.h). If it cannot count either,
 * windows are planned by their size: one response must hold all of each. An order that nothing proves still tells how
 * wide the next window may be. */
#pragma once

#include "collect/reading.h"

/* Decides what the next request asks for, the first of its window. */
void order_choose(struct reading *reading, ticks now, int64_t now_ms);

enum order_next {
    ORDER_NONE,  /* the page is to be taken like any other */
    ORDER_MORE,  /* the page was taken: send the next request */
    ORDER_SPLIT, /* the page does not hold all of its window, and settles nothing: make the window smaller */
    ORDER_FOLLOW /* its window has this page and others, which are counted: read them with pages_take_counted() */
};

/* Takes a page that was read completely. */
enum order_next order_take(struct reading *reading, const struct page_taken *page, int64_t now_ms);
/* Takes the outcome of a page whose window is counted. Returns true if the pages prove nothing: less is asked for. */
bool order_pass_failed(struct reading *reading, enum pages_next pages, const struct err *err, int64_t now_ms);

/* There is more than the page that was taken. If it was counted as all there is, the count is not relied on: the rest of
 * the window would be read again and again. */
void order_overfull(struct reading *reading, int64_t now_ms);

/* Nothing but the count says that there is more than the page that was taken, and its window cannot be made smaller. The
 * count is not relied on: it would make the way down to this window necessary in each poll. */
void order_miscounted(struct reading *reading, int64_t now_ms);

/* The window of the page that was taken is to be split. If the page is in ascending order, the part before its last
 * record fits one response: sets the statistics so that the next window is that part. If that was so of this window,
 * the order is not kept. */
void order_hint(struct reading *reading, struct page_stats *stats, int64_t now_ms);

/* A request was not answered as it should be. A pass over several pages begins again, over half of its window: where
 * requests keep failing, a long pass would never end. */
void order_interrupted(struct reading *reading);

/* A query in order, or with a count, was refused with 400: the service does not take it. */
void order_refused(struct reading *reading, const struct err *err, int64_t now_ms);

/* Such a query failed: the same records are asked for plainly, in a narrow window. */
void order_failed(struct reading *reading);
