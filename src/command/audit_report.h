/* command/audit_report.h - the findings of `audit`: lines for people, or JSON. */
#pragma once

#include "command/audit_row.h"
#include "command/wrap.h"

struct audit_report {
    struct audit_row **rows;
    size_t count;
};

/* Returns the exit status: 0 all days are equal, 1 something is missing, 2 something is not known. */
int audit_report_status(const struct audit_report *report);
void audit_report_print(const struct audit_report *report, struct wrap *to);
void audit_report_json(const struct audit_report *report, FILE *to);
