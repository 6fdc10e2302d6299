/* command/share_report.h - what `share status` says, for people or as JSON. Pure. */
#pragma once

#include <stdio.h>

#include "command/share_notes.h"
#include "command/wrap.h"

/* Returns the state of a forwarder in a word: "member", "draining", "not well", "silent", "twin", "newer", "absent". */
const char *share_state_word(const struct share_view_member *member);

void share_report_print(const struct share_report *report, struct wrap *to);
void share_report_json(const struct share_report *report, FILE *to);
