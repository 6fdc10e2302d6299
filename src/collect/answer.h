/* collect/answer.h - one response of an alert API while it is read. */
#pragma once

#include "base/digest.h"
#include "state/windows.h"

/* The order in which records came. */
struct sequence {
    bool repeats;       /* a record came twice, one after the other */
    struct hash128 key; /* of the latest record */
    bool broken;        /* one without a time, or older than the one before it */
    ticks last;         /* update time of the latest record */
    size_t ties;        /* records of just that time, at the end */
    size_t in_second;   /* ... of that second */
};

struct answer {
    size_t top; /* most records it may hold; 0: the service's own choice */
    struct page_stats stats;
    struct sequence sequence;
    ticks split;      /* a part that was read before ends here */
    size_t after;     /* records that are not older */
    int64_t counted;  /* records that match the query, as the service says; -1: it does not */
    size_t outside;   /* records well outside of the window */
    size_t malformed; /* records without an ID or a time */
    size_t replaced;  /* records with characters that became U+FFFD */
    size_t bad;       /* records that are not JSON */
    size_t bad_new;   /* ... and were not written before */
    bool probed;      /* the store was tried before the first event */
    bool held_back;   /* ... and cannot be written, so the events were not */
    bool elsewhere;   /* ... and another forwarder may read the input by now, so the events were not */
    char held_why[256];
};
