/* command/check_report_private.h - what inputs of `check` have in common: one cause, one note, one service for many. */
#pragma once

#include "command/check_report.h"

enum group_kind {
    GROUP_CAUSE, /* why inputs are not ok, and what to do */
    GROUP_NOTE,  /* what a person would wonder about */
    GROUP_TOKEN, /* kind and permissions */
    GROUP_ENDS   /* Microsoft ends the API */
};

bool report_host_is_bad(const struct report *report);
/* Prints a section: each text once, with the inputs that it is about, most first. Nothing if there is none. */
void groups_print(const struct report *report, enum group_kind kind, struct wrap *to);
/* Prints a line for each service that was tried: name lookup, connection, TLS. */
void groups_print_services(const struct report *report, struct wrap *to);
