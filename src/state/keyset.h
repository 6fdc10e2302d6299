/* state/keyset.h - reads a window page after page, in ascending order of update time.
 *
 * A response in ascending order that does not hold all of [lo, hi) holds everything before its last update time. So one
 * response held all of [lo, cut), where the cut is that time, and the next request begins at the cut. Records of the
 * same time on both sides of a page's edge come with both pages. A record that is updated meanwhile moves to a later
 * time and shifts nothing.
 *
 * A service may claim an order that it does not keep: it sorts by another field, or each of its shards alone. So a part
 * counts as read only when the service's own count proves it. Each response says how many records match. Those before
 * the cut and those that the next response counts from the cut on must be just as many: then there are no others before
 * the cut. If the sum differs, records may have been updated or have arrived meanwhile, or the order is not kept. Then
 * the part stays open and grows with the next pages, and in the end it is counted by a request of its own. It must have
 * as many records as were seen; else it is read again. A service that does not count may skip: of a part with 100 records,
 * one is left when 99 are skipped. The request that skips them may bring the records after the part as well: if one
 * response holds the rest of a longer window, what was skipped and what came are all of that window. */
#pragma once

#include "state/window.h"

#include "base/compiler.h"

struct keyset {
    bool whole;        /* the next request, or the one in flight, is for all that is ahead of the worker */
    ticks span;        /* ... but no more than this; 0: any */
    int unproven;      /* parts, or passes over several pages, that could not be proven, in a row */
    ticks plain_until; /* windows that begin before this are as the plan has them */
    int64_t total;     /* records from `from` on, as the service counted them first */
    ticks from, at;    /* [from, at) was read in order and is not proven yet; at 0: nothing is */
    ticks sent_at;     /* the service's clock when its first page was requested */
    size_t first;      /* records in its first page */
    size_t seen;       /* records in it */
    int64_t rest;      /* records from `at` on, as the service counted them; negative: it does not */
    int pages;         /* of the part */
    int proven;        /* parts so far */
    bool check;        /* the next request counts the records of the part */
    ticks reach; /* ... by skipping those that are known, and brings others up to here; `at`: it brings no others */
};

/* A page in ascending order. */
struct keyset_page {
    ticks lo, cut;   /* of the page's own window; everything before the cut was in the page */
    size_t before;   /* records before the cut */
    int64_t counted; /* records that match, by the service's count; -1: not known */
    size_t count;    /* records in the page */
    size_t skips;    /* most records that a request may skip */
    ticks sent_at;
};

/* Forgets the part that is not proven: it is read again. */
void keyset_forget(struct keyset *keyset);
/* A window was read: the next one may span more. */
void keyset_read(struct keyset *keyset);
/* This window was too much: the next one spans half of it. */
void keyset_narrow(struct keyset *keyset, const struct window *window);
/* No window spans more than this until some were read. */
void keyset_limit(struct keyset *keyset, ticks span);
/* The part is counted next. last: one response held all that comes after it. */
void keyset_count(struct keyset *keyset, bool last);
/* The part is counted next without what comes after it. */
void keyset_count_alone(struct keyset *keyset);
/* What comes after the part, up to `to`, was counted with it and is complete, too. count: records of it. */
void keyset_extend(struct keyset *keyset, ticks to, size_t count);
/* A part, or a pass, could not be proven: the next one is counted early. Returns true if there were too many in a row. */
bool keyset_is_unproven(struct keyset *keyset);
/* Adds the page to the part. */
void keyset_add(struct keyset *keyset, const struct keyset_page *page);
/* Returns true if the next page's count proves the part. */
bool keyset_agrees(const struct keyset *keyset, int64_t counted);
/* Returns true if the service has counted records that it did not send: then its count is not just of the page. */
bool keyset_counts_beyond(const struct keyset *keyset);
/* Returns true if the count of the part alone proves it. */
bool keyset_is_counted(const struct keyset *keyset, int64_t counted);
/* Returns true if the part is to be counted by skipping records, and sets *skip to their number. */
bool keyset_skips(const struct keyset *keyset, size_t *skip);
