/* collect/audit_log.h - what is logged of a day that was audited: each result once a night, and the missing versions by
 * name. */
#pragma once

#include "collect/audit_day.h"

#define AUDIT_NAMED_MOST 20 /* missing versions of a day that are named */

/* What was logged last of a day in this night. All zero: nothing. */
struct audit_told {
    unsigned char verdict; /* enum audit_verdict */
    uint32_t missing;      /* sum of the keys that are missing still */
};

/* Logs the result of the day unless *told says that it was. listing: NULL if the day was not read. */
void audit_log(const struct feed *feed, uint32_t day, const struct audit_result *result, const struct listing *listing,
               struct audit_told *told);
