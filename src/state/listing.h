/* state/listing.h - one day of an input, as an audit sees it: the versions that its ledger has, and those that the
 * service lists.
 *
 * A version is a key of state/ledger.h. Written are the keys of the ledger. Missing is what the service lists and the
 * ledger lacks. Superseded is what the ledger has and the service does not list: the alert was updated again since, or
 * is gone. A version that is listed several times counts once, so a listing may ask for a window again.
 *
 * Memory: 8 bytes and a bit for a version of the ledger, some 48 bytes for one that is missing, and the ID of the first
 * `ids_most` of those. */
#pragma once

#include "base/compiler.h"
#include "state/window.h"

/* A version that the ledger did not have. */
struct listed {
    uint64_t key;
    ticks time;
    char *id;     /* as Splunk would have it; NULL: not kept */
    bool listed;  /* by the service; else it was only written */
    bool odd;     /* a record without an ID or a time: it has no place in a ledger */
    bool missing; /* it was when listing_settle() was called */
    bool written; /* an event of it was written since */
};

struct listing {
    struct window window;
    size_t ids_most;
    uint64_t *keys; /* of the ledger, sorted, each once */
    size_t key_count;
    unsigned char *seen; /* a bit for each: it is listed */
    size_t seen_count;
    struct listed *others; /* in the order of their arrival */
    size_t other_count, other_cap;
    uint32_t *slots; /* hash table: a place in others plus one; 0: free */
    size_t slot_count;
    size_t ids;
};

struct listing_counts {
    size_t listed;   /* by the service, the odd ones left out */
    size_t written;  /* in the ledger */
    size_t missing;  /* listed, and neither in the ledger nor written since */
    size_t repaired; /* missing when listing_settle() was called, and written since */
    size_t fresh;    /* listed and not in the ledger, but written since, so splunkd may not have it yet */
    size_t superseded;
    size_t odd;
};

/* Takes the keys, in any order. window: update times outside of it do not count. Never returns NULL. */
struct listing *listing_new(const struct window *window, uint64_t *keys, size_t count, size_t ids_most);
void listing_free(struct listing *listing); /* NULL is allowed */

/* The service lists this version. Returns true if the ledger lacks it, and no event of it was written since. */
bool listing_take(struct listing *listing, uint64_t key, ticks time, const char *id, size_t id_len);
/* The service lists a record that has no key. `key` tells it from others. */
void listing_take_odd(struct listing *listing, uint64_t key);
/* An event of this version was written. */
void listing_written(struct listing *listing, uint64_t key, ticks time);

/* Marks what is missing now. */
void listing_settle(struct listing *listing);
void listing_count(const struct listing *listing, struct listing_counts *ret);

/* Fills ret[0..most) with windows that hold all missing versions: one for each time, rounded down to the resolution; or
 * fewer and wider ones if there would be more than `most`. They are in ascending order. Returns how many there are. */
size_t listing_spans(const struct listing *listing, ticks resolution, struct window *ret, size_t most);
