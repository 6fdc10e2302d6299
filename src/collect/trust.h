/* collect/trust.h - what of a service's order and count is relied on, as its responses have shown (collect/reliance.h).
 *
 * A service may ask for more trust than it deserves, and each request that is based on a lie is sent in vain. So trust is
 * earned with requests that are useful without it: until a window that one response held was in order and counted right,
 * windows are as the plan has them, and one response must hold all of each. Then it grows: a pass over counted pages has
 * three pages at first, and one more for each three that were proven. What a count says is compared with what comes, and
 * the counts of a window and of its parts with each other. */
#pragma once

#include "collect/reading.h"

#define TRUST_PASS_FIRST 3   /* most pages of a pass while nothing is known of the count */
#define TRUST_PASS_AIM   0.7 /* the part of a pass's most pages that a window aims at */

/* Returns true if pages in order may be relied on, until they are proven: the number of records was right for a window that
 * one response held or, if the service does not count, their order was. */
bool trust_is_orderly(const struct reliance *reliance);
/* Returns true if the count of what comes before a page tells whether the service counts. */
bool trust_knows_rest(const struct reliance *reliance);
/* Returns the most pages of a pass: if the count is a lie, they are read in vain. 0: nothing is known of the count. */
size_t trust_pass_pages(const struct reliance *reliance);

/* The service does not sort as it says, or does not count: for some hours that is not relied on. */
void trust_lost(struct reading *reading, enum ask ask, const char *why, int64_t now_ms);
/* What is sent in order may not even be all that was found. */
void trust_lost_all(struct reading *reading, const char *why, int64_t now_ms);

/* Returns true if the window has more records than the page. */
bool trust_has_more(const struct reading *reading, const struct page_taken *page);
/* Returns why the order of a page cannot be trusted; NULL: it can. A filter that is coarser than it was asked to be brings
 * records again that were counted with the page before. */
const char *trust_out_of_order(const struct reading *reading, const struct page_taken *page);

/* Learns from the first page of a window. */
void trust_learn(struct reading *reading, const struct page_taken *page, int64_t now_ms);
/* Learns from a window that was read. */
void trust_window_read(struct reading *reading, int64_t now_ms);
/* Before a window is recorded as read. If the count is not relied on any more, a page that came before may have held all of
 * a longer window, but for the count: that window is now the reading's. */
void trust_settles_doubt(struct reading *reading);
