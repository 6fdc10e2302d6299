/* collect/pages.h - pagination: whether a page held all of its window, and where the next page is.
 *
 * A window that one response cannot hold is split by the caller. A next link alone does not mean that: services end
 * pages early and link to empty ones. So the link of a page that is not full is followed. If no other page of the
 * window has records, the one page held all of it. In a window that is open to the present nothing can have slipped
 * past it: records only move into the set, or to its end. From a bounded window an update takes records away, and
 * the ones after them move up into the page that was read before. There the page is requested once more, and must be
 * the same.
 *
 * Where the service counts the records of a window, its pages are read one after the other. As many different records
 * as were counted at the first page and at the last one are all of them, in whatever order they came.
 *
 * Where a window cannot be split, its pages are read one after the other. Since the set may change meanwhile, such
 * passes are repeated until two of them agree. The links of a service are followed only to the host that the input
 * reads from, because the access token goes with the request. */
#pragma once

#include "base/err.h"
#include "state/dedup.h"
#include "state/windows.h"

struct pages {
    bool chained;             /* the next request continues this window */
    bool whole;               /* reads page after page, since the window cannot be split */
    char *link;               /* of the next page; NULL: the first */
    size_t skip;              /* records to skip, where the API has no links */
    size_t count;             /* pages of this pass so far */
    size_t filled;            /* ... that had records */
    struct page_stats held;   /* of the first of these */
    uint64_t held_sum;        /* ... and the sum of its records */
    uint64_t expected;        /* ... in the pass before; 0: it is not needed */
    size_t passes;            /* complete ones */
    size_t quiet;             /* passes in a row that agreed with the one before and brought nothing new */
    size_t fresh;             /* events written in this pass */
    size_t kept, kept_before; /* records inside of the window: of this pass, and of the one before */
    int64_t counted;          /* records of the window by the service's count, which proves a pass; 0: not known */
    struct dedup *seen;       /* the different records of all passes */
    uint64_t sum, sum_before; /* of the records of this page, and of the page before */
    int same;                 /* pages in a row with the same records, or with none */
    struct page_stats stats;  /* of the pass */
};

enum pages_next {
    PAGES_COMPLETE,   /* all of the window has been read */
    PAGES_OVERFULL,   /* one response cannot hold it: split the window, or else call pages_follow() */
    PAGES_UNFILTERED, /* the pages bring everything the service has: widen the window, or else call pages_follow() */
    PAGES_LARGER,     /* the only page has all that was asked for, and leads nowhere: ask for more, or believe it */
    PAGES_MORE,       /* read the next page, or the first page of another pass */
    PAGES_UNPROVEN,   /* the pass did not bring as many records as were counted */
    PAGES_FAILED      /* err says why the pages cannot be trusted */
};

/* A page that was read completely. */
struct page_taken {
    const char *url;      /* of the page; a link may be relative to it */
    const char *link;     /* to the next one; NULL or "": none */
    const char *base_url; /* the only origin that a link may lead to */
    size_t top;           /* records that were asked for; 0: the service's own choice */
    size_t cap;           /* most records that the service was seen to end a page at; 0: not known */
    bool open;            /* the window has no upper bound */
    size_t outside;       /* records well outside of the window */
    bool has_skip;        /* the API can skip records */
    int64_t counted;      /* records that match, by the service's count; -1: not known */
    struct page_stats stats;
};

/* Before a request: the counters of its page, and of its pass if it begins one, start at zero. */
void pages_begin(struct pages *pages);
/* Forgets everything: the next request is the first page of a window. */
void pages_forget(struct pages *pages);

enum pages_next pages_take(struct pages *pages, const struct page_taken *page, struct err *err);
/* Returns true if the page has as many records as were asked for. */
bool pages_has_all_asked(const struct page_taken *page);
/* Returns true for a page of records from outside of the window: the filter is ignored, and smaller windows would bring
 * the same page again. */
bool pages_unfiltered(const struct page_taken *page);
/* After PAGES_UNFILTERED, when the window was widened, and after PAGES_LARGER: the next request is the first page of all
 * of the window. */
void pages_restart(struct pages *pages);
/* Before the first request of a pass that may be compared with the service's count. */
void pages_expect(struct pages *pages);
/* Returns true if a record of such a pass came twice. */
bool pages_repeat(const struct pages *pages);
/* Takes the first page of such a pass, instead of pages_take(): the others are read after it. */
enum pages_next pages_take_counted(struct pages *pages, const struct page_taken *page, struct err *err);
/* After PAGES_OVERFULL, when the window cannot be split, and after PAGES_UNFILTERED. */
enum pages_next pages_follow(struct pages *pages, const struct page_taken *page, struct err *err);
