/* collect/service_clock.h - whether a Date header is to be believed.
 *
 * The service's clock decides where a new input begins, how far its watermark may go, and whether a checkpoint's
 * times are possible. One wrong Date must decide none of these. So there are three witnesses: the Date, the host's
 * clock, and the last Date that was believed. The clock that two of them agree on is right. A Date that nothing confirms
 * is doubted until the next response says the same: then the host's clock is wrong. If it is ahead of what is known, four
 * responses in a row have to say the same, since a watermark that follows a clock that is ahead hides alerts. An earlier
 * time only makes it read some of them again.
 *
 * The time at which the checkpoint was saved is no witness. The host's clock may have been wrong then, and how long ago
 * that was is not known: a Date that is hours ahead would fit, too.
 *
 * Pure arithmetic. Times are milliseconds of the Unix epoch; now_ms is monotonic (base/clock.h). */
#pragma once

#include "base/compiler.h"

struct service_clock {
    bool known;         /* a Date was believed; good_ms is set */
    int64_t good_ms;    /* the service's time less the monotonic one */
    int doubts;         /* responses in a row whose Dates say the same, and were not believed */
    int64_t doubted_ms; /* what they say, less the monotonic time */
    bool began;         /* it decided where the input begins, against the host's clock; began_ms is what it was then */
    int64_t began_ms;
    int64_t told_ms; /* monotonic time of the last report of a doubt; 0: none */
};

/* What is known besides the Date. */
struct clock_facts {
    int64_t wall_ms; /* the host's clock */
    int64_t now_ms;
    int64_t took_ms; /* how long the response took: its Date may be that old */
};

/* Takes the Date of a response. Returns true if it is believed. Call it once for each response. */
bool service_clock_take(struct service_clock *clock, int64_t date_ms, const struct clock_facts *facts);

/* Returns the service's time now: by the last Date that was believed, else the host's. */
int64_t service_clock_now(const struct service_clock *clock, int64_t wall_ms, int64_t now_ms);

/* Returns true if the last Date that was believed agrees with the host's clock. */
bool service_clock_confirmed(const struct service_clock *clock, int64_t wall_ms, int64_t now_ms);

/* Notes that the service's time decides now where the input begins. */
void service_clock_begins(struct service_clock *clock, int64_t wall_ms, int64_t now_ms);
/* Returns true if that time was too late, by what is known now and by the host's clock. Several responses had the same
 * wrong Date, or one service has a clock that is wrong. */
bool service_clock_began_late(const struct service_clock *clock, int64_t wall_ms, int64_t now_ms);

/* Returns true if a doubt is to be reported now: the first one, and then one an hour at most. */
bool service_clock_tell(struct service_clock *clock, int64_t now_ms);
