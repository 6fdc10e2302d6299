/* command/save_notice.h - what Splunk Web tells the person who saved an input that was not refused.
 *
 * splunkd is asked once, and may take most_s for its answer. */
#pragma once

#include "base/err.h"
#include "splunk/config.h"

enum notice_kind {
    NOTICE_TRIAL,    /* disappears when the input works */
    NOTICE_DUPLICATE /* stays until the input is saved again, or a person removes it */
};

/* Shows a sentence (splunk/notices.h). On false err says why splunkd did not take it. */
bool save_notice_show(const struct config *config, int most_s, enum notice_kind kind, const char *input_name,
                      const char *text, struct err *err);
/* Removes what was shown when the input was saved before. If that fails, the running input does it (NOTICE_TRIAL). */
void save_notice_remove(const struct config *config, int most_s, enum notice_kind kind, const char *input_name);
