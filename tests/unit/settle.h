/* Pumps a store as the loop does, until nothing is left to be answered. */
#pragma once

#include <poll.h>

#include "base/clock.h"
#include "check.h"
#include "state/store.h"

static inline void settle(struct store *store, const struct claim *claim)
{
    struct pollfd pfd = { .fd = store_fd(store), .events = POLLIN };
    int64_t until_ms = clock_ms() + 10000;

    do
        if (!store_pump(store, 10) && store_asked(claim))
            poll(&pfd, 1, pfd.fd < 0 ? 0 : 100);
    while (store_asked(claim) && clock_ms() < until_ms);
    CHECK(!store_asked(claim), "no answer");
}
