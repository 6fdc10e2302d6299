/* collect/harvest.h - records of a page become events: what is new goes out, what is known does not. */
#pragma once

#include "microsoft/page.h"

struct worker;

/* For struct page_handler; ctx is the lane. */
void harvest_record(void *worker, struct buf *out, const struct page_record *record);
void harvest_bad(void *worker, size_t ordinal, uint64_t offset, const char *why);

/* After a page: one line for what was odd in it. */
void harvest_warn(const struct worker *worker);
