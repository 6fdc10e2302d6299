/* collect/poll_due.h - when an input is polled next.
 *
 * poll_interval is the longest wait between two polls. A request each minute is a small part of what the services allow,
 * so a poll comes after half the interval while the rate limit has requests to spare (pacing/rate.h), and after a third
 * while the newest alert is recent: an alert seldom comes alone. docs/performance.md ("Delay") has what this gains and
 * costs. */
#pragma once

#include "collect/feed.h"

/* Returns when the poll after this one is due. was_due_ms: when this one was; now_ms: it was answered. */
int64_t poll_due_ms(const struct feed *feed, int64_t was_due_ms, int64_t now_ms);
