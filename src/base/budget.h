/* base/budget.h - one bound for the memory of all buffers that grow while responses arrive.
 *
 * An unfinished record, and the body of a token response, are kept until their last byte is there. How long that takes
 * and how large they become is decided by the services, and 64 KB of gzip can make 64 MB. So all of these buffers share
 * one budget: when it is used up, the largest of them is given up, whosever it is, and its owner asks again later. A
 * service that holds a large one open thus costs the small ones of others nothing. */
#pragma once

#include "base/compiler.h"

struct holding;

struct budget {
    size_t limit; /* bytes of all buffers together */
    size_t used;
    struct holding *first;
};

/* The share of one buffer. Part of its owner. Initialize with zeros and set the first two members once. */
struct holding {
    void (*give_up)(void *ctx); /* frees the buffer; must not call the functions below */
    void *ctx;
    /* private to the budget: */
    size_t bytes;
    struct budget *budget;
    struct holding *next, **link;
};

/* Sets the size of the buffer. If that is more than the budget has left, larger buffers of others are given up. Returns
 * false if there is none: this one is the largest, its share is now 0, and the caller frees it. A budget of NULL bounds
 * nothing. */
bool budget_hold(struct budget *budget, struct holding *holding, size_t bytes);

/* Ends the share. Allowed in any state. */
void budget_release(struct holding *holding);
