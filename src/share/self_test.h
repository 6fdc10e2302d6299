/* share/self_test.h - whether a KV store does what sharing relies on.
 *
 * In this order, in SHARE_COLLECTION, with records of a key of its own (<group>.test.<random>), which it removes:
 * insert; the same insert must be refused as taken; the own write must be read back (within how many ms); a batch save
 * must replace; a query must find it; a delete must remove it. */
#pragma once

#include "share/link.h"

struct share_self_test;

struct share_self_test_result {
    bool ok;
    bool unfit;       /* the store answered, but not as is relied on: nobody may share by it */
    const char *step; /* that failed, in words */
    const struct err *err;
    int64_t seen_ms; /* until the own write was read back; -1: it was not */
};
typedef void share_self_test_fn(void *ctx, const struct share_self_test_result *result);

/* Never returns NULL. done() is called once; then it may be freed. */
struct share_self_test *share_self_test_new(struct loop *loop, struct share_link *link, const char *group,
                                            uint64_t random, share_self_test_fn *done, void *ctx);
void share_self_test_free(struct share_self_test *test);
