/* messages/log_cap.h - bounds how many lines of one kind an input may write.
 *
 * For lines whose number a service decides: broken records, failures, doubtful dates. Of each kind, LOG_CAP_FIRST are
 * written. More within the same minute are counted, and at its end one line tells the count and repeats the latest. This
 * goes on, a line a minute, until a minute passes without any; then the first ones are written again. */
#pragma once

#include "messages/log_events.h"

#define LOG_CAP_FIRST 5
#define LOG_CAP_MS    60000

struct log_cap;

struct log_cap *log_cap_new(void);
void log_cap_free(struct log_cap *cap); /* NULL is allowed */

/* Returns true if the line is to be written now; otherwise it is counted, and a copy of its text kept. */
bool log_cap_take(struct log_cap *cap, enum event event, const char *text, int64_t now_ms);

/* Lines that were left out. */
struct log_left_out {
    enum event event;
    uint64_t count;
    int64_t for_s;    /* in as many seconds */
    const char *text; /* of the latest; valid until the next call for this cap */
};

/* Takes one count that is due, of any kind. at_end: all are due. Returns false if there is none. */
bool log_cap_due(struct log_cap *cap, bool at_end, int64_t now_ms, struct log_left_out *ret);
