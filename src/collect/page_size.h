/* collect/page_size.h - how many records a worker asks for.
 *
 * A page that fails again and again may be too much for the service, so smaller ones are tried. Pages grow again while
 * they succeed. A service may also end its responses earlier than asked; windows are sized to fit that. */
#pragma once

#include "base/compiler.h"

struct page_size {
    size_t size;      /* 0: the API's own */
    size_t too_large; /* a size that failed after a smaller one had worked; 0: none */
    int successes;    /* pages read in a row */
    size_t cap;       /* most records seen in one response that was cut short; 0: no cap seen */
};

/* Returns the number of records to ask for where the API's own page size is `most` (0: the service's own choice). */
size_t page_size_top(const struct page_size *page, size_t most);

/* Returns true if a smaller page can be asked for. */
bool page_size_can_shrink(const struct page_size *page, size_t most);
void page_size_shrink(struct page_size *page, size_t most);

/* A page failed, for the n-th time in a row. may_be_size: a smaller one may help. Returns true if the size was raised
 * just before, and so is to blame. */
bool page_size_failed(struct page_size *page, int failures, bool may_be_size);
/* A request for `top` records was refused with 400. The service may take no more than the `sure` records of a poll.
 * Returns true if fewer are asked for from now on, so that the same request is worth sending. */
bool page_size_refused(struct page_size *page, size_t top, size_t sure);

/* Asks for more than `top` records from now on. Returns false if the last request was for the most already. */
bool page_size_raise(struct page_size *page, size_t top, size_t most);

/* A page was read. most: the API's largest page. */
void page_size_worked(struct page_size *page, size_t most);

/* Learns from a response of `count` records whether the service ends responses early. has_more: it had more. */
void page_size_learn(struct page_size *page, size_t count, bool has_more);

/* Returns how many records a response can hold: `most` or the cap that was seen. */
size_t page_size_capacity(const struct page_size *page, size_t most);
