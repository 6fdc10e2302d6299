/* collect/audit_night.h - when the audits of an input begin, and what its ledger notes of them.
 *
 * A night is named after the day in which it usually begins: it audits the days before that one. The ledger's mark of a
 * day holds the verdict and how many minutes after the end of the day it was found, so a later process knows which
 * night is over. */
#pragma once

#include "collect/audit_day.h"

/* Returns when the night begins. */
ticks audit_night_begin(const struct feed *feed, uint32_t night);
/* Returns the last night that has begun. */
uint32_t audit_night_at(const struct feed *feed, ticks now);
/* Returns the monotonic time at which the night after this one begins. */
int64_t audit_night_next_ms(const struct feed *feed, uint32_t night, ticks now, int64_t now_ms);

/* Notes the verdict of the day in the ledger. */
void audit_note(const struct feed *feed, uint32_t day, enum audit_verdict verdict);
/* Returns true if the ledger says that the night is over. */
bool audit_night_is_noted(const struct feed *feed, uint32_t night);
/* Shows in the status lines what a process before this one found last. */
void audit_recall(struct feed *feed, uint32_t night);
